import type { Transaction, WhereOptions } from 'sequelize';
import type { Registration } from '../capture/registry';
import { isAuditError } from '../core/errors';
import type { LogEntryAttributes } from '../core/types';
import { keyTexts, objectPkText } from '../history/object-key';
import { stateOf } from '../past/state';
import type { LogEntry } from '../schema/log-entry';
import { notFound } from './access';
import { WebProblem } from './problem';
import { inScope } from './visible';
import type { Visit } from './visit';

/** Actions that change an object, and so make a state of it. */
export const CAPTURED = ['create', 'update', 'delete'] as const;

export function isCaptured({ action }: { readonly action: string }): boolean {
  return CAPTURED.includes(action as never);
}

/** The object that an address names. */
export interface AuditedObject {
  readonly model: string;
  /** As entries store it. */
  readonly pk: string;
  /** Null for a model that is registered no more: its entries stay readable. */
  readonly registration: Registration | null;
  /** The key by attribute; null without registration. */
  readonly key: Readonly<Record<string, string>> | null;
}

/** An object whose states can be told. */
export interface RegisteredObject extends AuditedObject {
  readonly registration: Registration;
  readonly key: Readonly<Record<string, string>>;
}

/** The key in its one form, so that whoever is asked about `07` is asked about `7`; null for what can't be a key of the model. */
function keyOf(registration: Registration, pk: string): Readonly<Record<string, string>> | null {
  try {
    return keyTexts('auditRouter', registration.model, pk);
  } catch (error) {
    if (isAuditError(error)) return null;
    throw error;
  }
}

/** The object of an address below `/o/:model/:pk`, without asking whether it may be seen. */
function namedObject(visit: Visit): AuditedObject {
  const [model, pk] = [visit.param('model'), visit.param('pk')];
  const registration = visit.web.settings.registry.findByName(model);
  const key = registration && keyOf(registration, pk);
  return { model, pk: key ? objectPkText(key) : pk, registration, key };
}

/**
 * The object that a page is about, which the visitor may see. Asked before anything is validated or read.
 *
 * @throws {WebProblem} 403, 404
 */
export async function requestedObject(visit: Visit): Promise<AuditedObject> {
  const object = namedObject(visit);
  await visit.access.requireObject(object.model, object.pk);
  if (object.registration && !object.key) throw notFound();
  return object;
}

/** The same for pages that show states. @throws {WebProblem} 403, 404, 422 for a model that is registered no more */
export async function requestedRegistered(visit: Visit): Promise<RegisteredObject> {
  const object = await requestedObject(visit);
  const { registration, key } = object;
  if (registration && key) return { ...object, registration, key };
  throw new WebProblem(422, 'Not registered', {
    detail: visit.texts.t('object.unregistered', { model: object.model }),
  });
}

/** Entries of the object that the visitor may see. */
export function objectWhere(
  visit: Visit,
  { model, pk }: AuditedObject,
  condition: object = {},
): WhereOptions<LogEntryAttributes> {
  return inScope(visit, { model, objectPk: pk, ...condition });
}

/** A row that no entry tells of: they were pruned, or it was there before anybody recorded it. No entry, no scope it could be in. */
async function isUnrecorded(
  { web: { settings, snapshots }, access }: Visit,
  { registration, key }: AuditedObject,
  transaction: Transaction,
): Promise<boolean> {
  if (access.scope !== null || !registration || !key) return false;
  const { presence } = await stateOf(settings, snapshots, registration, key, 'current', { transaction });
  return presence === 'there';
}

/**
 * The newest entry of the object that the visitor may see; null for a row that no entry tells of.
 *
 * @throws {WebProblem} 404 for what was never there, or not for this visitor
 */
export async function newestSeen(
  visit: Visit,
  object: AuditedObject,
  transaction: Transaction,
): Promise<LogEntry | null> {
  const where = objectWhere(visit, object);
  const found = await visit.web.settings.LogEntry.findOne({ where, order: [['id', 'DESC']], transaction });
  if (!found && !(await isUnrecorded(visit, object, transaction))) throw notFound();
  return found;
}

/** What the object was called by an entry, as the visitor may see it. */
export function nameOf(visit: Visit, { model, pk }: AuditedObject, entry: LogEntry | null): string {
  return (entry && visit.entries.view(entry).objectRepr) ?? `${model} ${pk}`;
}
