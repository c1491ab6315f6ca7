import type { Transaction } from 'sequelize';
import { digestOf } from '../../core/node';
import { fitsKey, keyWhere } from '../../history/object-key';
import { firstVersions } from '../../history/snapshots';
import { CAPTURED, type AuditedObject } from '../audited-object';
import type { Visit } from '../visit';

const DIGEST_LENGTH = 12;

async function newestVersion(
  visit: Visit,
  object: AuditedObject,
  transaction: Transaction,
): Promise<string | null> {
  const { registration, key } = object;
  if (!registration?.options.snapshots || !key || !fitsKey(registration.model, key)) return null;
  const model = visit.web.snapshots.of(registration);
  const first = firstVersions(model, keyWhere(registration.model, key), 'DESC', { limit: 1 });
  return (await model.findOne({ ...first, transaction } as never))?.historyId ?? null;
}

async function newestChange(
  visit: Visit,
  { model, pk }: AuditedObject,
  transaction: Transaction,
): Promise<string | null> {
  const where = { model, objectPk: pk, action: [...CAPTURED] };
  const order: [string, string][] = [['id', 'DESC']];
  const found = await visit.web.settings.LogEntry.findOne({ attributes: ['id'], where, order, transaction });
  return found?.id ?? null;
}

/** What `expectedVersion` of a revert is compared with: the newest version, of a model without versions the newest change. */
export async function currentVersion(
  visit: Visit,
  object: AuditedObject,
  transaction: Transaction,
): Promise<string> {
  const hasVersions = Boolean(object.registration?.options.snapshots);
  const newest = await (hasVersions ? newestVersion : newestChange)(visit, object, transaction);
  return newest ?? '0';
}

/** The part of an ETag that changes with the object. A digest: the id itself may be of an entry that the visitor doesn't see. */
export function versionTag({ model, pk }: AuditedObject, version: string): string {
  return digestOf('sha256', JSON.stringify([model, pk, version]), DIGEST_LENGTH);
}

export async function expectedTag(
  visit: Visit,
  object: AuditedObject,
  transaction: Transaction,
): Promise<string> {
  return versionTag(object, await currentVersion(visit, object, transaction));
}

/**
 * The version tags that `If-Match` names; null for any. Weak ETags count: what a change expects is the object, not the bytes of an
 * answer about it.
 */
export function expectedOf(ifMatch: string): readonly string[] | null {
  if (ifMatch.trim() === '*') return null;
  return [...ifMatch.matchAll(/(?:W\/)?"([0-9a-f]+)\.[0-9a-f]+"/g)].map(([, tag]) => tag!);
}
