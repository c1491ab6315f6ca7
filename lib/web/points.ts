import type { Transaction } from 'sequelize';
import { bothWhere } from '../history/where';
import { OWN_READ } from '../capture/own-read';
import { parseTime, type PointInTime } from '../history/point-in-time';
import { keyWhere } from '../history/object-key';
import { entryNotAfter } from '../past/links-at';
import { timeText } from '../schema/exact-time';
import type { LogEntry } from '../schema/log-entry';
import { runtimeOf } from '../schema/sequelize-runtime';
import { localInstant } from '../statement/local-time';
import { notFound } from './access';
import {
  CAPTURED,
  isCaptured,
  objectWhere,
  type AuditedObject,
  type RegisteredObject,
} from './audited-object';
import { WebProblem } from './problem';
import { inScope } from './visible';
import type { Visit } from './visit';

/** The live row. */
export const CURRENT = 'current';

/** A point in time of one object, as an address names it. */
export interface Point {
  /** Also `current`. */
  readonly when: PointInTime;
  /** As addresses have it: `current`, an entry's id, `version:` and an id, or an instant. */
  readonly text: string;
  /** ISO text with microseconds; null for the present. */
  readonly at: string | null;
  /** The entry that it is right after, where one is named. */
  readonly entry: LogEntry | null;
}

const MAX_ID = 2n ** 63n - 1n;

/** An id as the database has them; null for what can't be one. */
export function idOf(text: string): string | null {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_ID ? String(BigInt(text)) : null;
}

async function entryPoint(
  visit: Visit,
  object: AuditedObject,
  id: string,
  transaction: Transaction,
): Promise<Point> {
  const where = objectWhere(visit, object, { id });
  const entry = await visit.web.settings.LogEntry.findOne({ where, transaction });
  if (!entry) throw notFound();
  return { when: entry, text: id, at: timeText(entry.timestamp), entry };
}

/** A version of the object; one that an entry tells of is seen by who sees the entry. */
async function versionPoint(
  visit: Visit,
  object: RegisteredObject,
  id: string,
  transaction: Transaction,
): Promise<Point> {
  const { registration, key } = object;
  if (!registration.options.snapshots) throw notFound();
  const model = visit.web.snapshots.of(registration);
  const where = { ...keyWhere(registration.model, key), historyId: id };
  const version = await model.findOne({ where, transaction } as never);
  if (!version) throw notFound();
  if (version.logEntryId !== null && visit.access.scope !== null)
    await entryPoint(visit, object, version.logEntryId, transaction);
  return { when: version, text: `version:${id}`, at: timeText(version.historyDate), entry: null };
}

const LOCAL = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?$/;

/** The instant that a field for date and time means: its text has no zone, the page has one. */
async function instantOf(visit: Visit, text: string, transaction: Transaction): Promise<string> {
  if (!LOCAL.test(text)) return text;
  const type = runtimeOf(visit.sequelize).QueryTypes.SELECT;
  const options = { type, raw: true, transaction, [OWN_READ]: true };
  const rows: unknown = await visit.sequelize.query(localInstant(text, visit.clock.zone), options as never);
  return (rows as { at: string }[])[0]!.at;
}

const wrongTime = (text: string, parameter: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', {
    detail: `"${text.slice(0, 60)}" is no point in time. Give an entry's id, current, or a time such as 2026-11-21T20:17:26Z.`,
    parameter,
  });

async function timePoint(
  visit: Visit,
  text: string,
  parameter: string,
  transaction: Transaction,
): Promise<Point> {
  if (!parseTime(text)) throw wrongTime(text, parameter);
  const instant = await instantOf(visit, text.trim(), transaction);
  const time = parseTime(instant);
  if (!time) throw wrongTime(text, parameter);
  return { when: instant, text: instant, at: time.text, entry: null };
}

/**
 * The point in time that a parameter names.
 *
 * @throws {WebProblem} 400 for a text that names none, 404 for an entry or version of another object, or out of scope
 */
export async function pointOf(
  visit: Visit,
  object: RegisteredObject,
  text: string,
  parameter: string,
  transaction: Transaction,
): Promise<Point> {
  if (text === CURRENT) return { when: CURRENT, text, at: null, entry: null };
  const id = idOf(text);
  if (id !== null) return entryPoint(visit, object, id, transaction);
  const version = idOf(/^version:(.*)$/.exec(text)?.[1] ?? '');
  if (version !== null) return versionPoint(visit, object, version, transaction);
  return timePoint(visit, text, parameter, transaction);
}

/** The entry that made the state at a point, whether in scope or not. */
export async function newestBy(
  visit: Visit,
  { model, pk }: AuditedObject,
  when: PointInTime,
  transaction: Transaction,
): Promise<LogEntry | null> {
  const { LogEntry, sequelize } = visit.web.settings;
  const bound = when === CURRENT ? null : runtimeOf(sequelize).literal(entryNotAfter('auditRouter', when));
  return LogEntry.findOne({
    where: bothWhere(sequelize, { model, objectPk: pk, action: [...CAPTURED] }, bound) as never,
    order: [['id', 'DESC']],
    transaction,
  });
}

/** The first change of the object that is recorded: a state that no entry made is the one that it ended. */
async function oldestOf(
  visit: Visit,
  { model, pk }: AuditedObject,
  transaction: Transaction,
): Promise<LogEntry | null> {
  const { LogEntry } = visit.web.settings;
  const where = { model, objectPk: pk, action: [...CAPTURED] };
  return LogEntry.findOne({ attributes: ['id'], where, order: [['id', 'ASC']], transaction });
}

/**
 * Whether the visitor may see the state at a point: only what an entry in scope has made, or ended where none made it. Keys may be
 * used again, and objects may pass from one tenant to another.
 */
export async function isStateSeen(
  visit: Visit,
  object: AuditedObject,
  { when, entry }: Pick<Point, 'when' | 'entry'>,
  transaction: Transaction,
): Promise<boolean> {
  if (visit.access.scope === null || (entry && isCaptured(entry))) return true;
  const maker =
    (await newestBy(visit, object, when, transaction)) ?? (await oldestOf(visit, object, transaction));
  if (!maker) return true;
  const where = inScope(visit, { id: maker.id });
  return (await visit.web.settings.LogEntry.findOne({ attributes: ['id'], where, transaction })) !== null;
}

/** The last moment before an instant, as far as the log tells moments apart. */
export function justBefore(exact: string): string {
  const micros = BigInt(Date.parse(`${exact.slice(0, 19)}Z`)) * 1000n + BigInt(exact.slice(20, 26)) - 1n;
  const seconds = new Date(Number(micros / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}
