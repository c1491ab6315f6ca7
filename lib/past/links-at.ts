import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import type { Changes, LinkChange, LinkedObject } from '../core/types';
import { objectPkText } from '../history/object-key';
import { boundOf, notAfter, type PointInTime } from '../history/point-in-time';
import { wholeSince } from '../history/prune-marks';
import type { HistorySettings } from '../history/settings';
import { manyToMany } from '../schema/associations';
import { quoteLiteral } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';

/** A point in time, or `'current'` for the present, which the type of a text includes. */
export type When = PointInTime;

/** What the links of one association gained and lost between two times, ordered by the targets' keys. */
export interface LinkDiff {
  readonly attribute: string;
  readonly added: LinkedObject[];
  readonly removed: LinkedObject[];
}

/** An entry that begins or ends a life of the object, or that links. */
export interface LifeEntry {
  readonly id: string;
  readonly action: string;
  readonly changes: Changes | null;
  readonly additionalData: Readonly<Record<string, unknown>> | null;
  /** For each of the asked times, whether the entry is not after it. */
  readonly isAt: readonly boolean[];
  /** By association, the links that came along when the object got this key: no entry of its own tells of them. */
  readonly brought?: ReadonlyMap<string, readonly LinkedObject[]>;
}

/** SQL over the log: the entry is not after the point in time. */
export function entryNotAfter(where: string, when: When): string {
  if (when === 'current') return 'true';
  const { time, version, logEntryId } = boundOf(where, when);
  const id = logEntryId ?? version?.logEntryId ?? null;
  return id === null ? notAfter('"timestamp"', time) : `"id" <= ${BigInt(id)}`;
}

function linkSql(names: readonly string[]): string {
  const kind = (name: string): string =>
    `"changes" -> ${quoteLiteral(name)} ->> 'type' = ${quoteLiteral('m2m')}`;
  return ["\"action\" in ('create', 'delete')", ...names.map(kind)].join(' or ');
}

/** The tracked associations that the model has now. */
export function linkedNames({ model, options }: Registration): string[] {
  return options.associations.filter((name) => manyToMany(model, name) !== null);
}

/** Since when the entries that tell of links are whole, where that is later than one of the times; to be asked after they were read. */
export async function linksWholeSince(
  settings: HistorySettings,
  { name }: Registration,
  times: readonly When[],
  transaction: Transaction | null | undefined,
): Promise<string | null> {
  const past = times.filter((when) => when !== 'current');
  const bounds = past.map((when) => boundOf(`the past of ${name}`, when).time);
  return bounds.length === 0 ? null : wholeSince(settings, name, bounds, transaction);
}

type LifeSource = Pick<HistorySettings, 'LogEntry' | 'sequelize'> & {
  readonly registration: Registration;
  readonly transaction: Transaction | null | undefined;
};

/** @param flags SQL conditions on entries, one for each time */
async function readLife(
  { LogEntry, sequelize, registration, transaction }: LifeSource,
  objectPk: string,
  flags: readonly string[],
): Promise<LifeEntry[]> {
  const { Op, literal } = runtimeOf(sequelize);
  const rows = (await LogEntry.findAll({
    attributes: [
      'id',
      'action',
      'changes',
      ['additional_data', 'data'],
      ...flags.map((sql, at): [ReturnType<typeof literal>, string] => [literal(sql), `at${at}`]),
    ],
    where: {
      model: registration.name,
      objectPk,
      [Op.and]: [literal(`(${linkSql(linkedNames(registration))})`)],
    } as never,
    order: [['id', 'ASC']],
    raw: true,
    ...(transaction === undefined ? {} : { transaction }),
  })) as unknown as Record<string, unknown>[];
  return rows.map((row) => ({
    ...(row as unknown as LifeEntry),
    additionalData: row['data'] as LifeEntry['additionalData'],
    isAt: flags.map((_, at) => row[`at${at}`] === true),
  }));
}

/** What an object had under its former key, before the entry that took it away from there for the one that it has now. */
async function broughtLinks(
  source: LifeSource,
  { id, additionalData }: LifeEntry,
  objectPk: string,
): Promise<LifeEntry['brought']> {
  const from = additionalData?.['movedFrom'];
  if (typeof from !== 'string') return undefined;
  const { registration } = source;
  const before = await readLife(source, from, [`"id" < ${BigInt(id)}`]);
  const leaving = before.findLastIndex(
    (each) => each.isAt[0] === true && each.additionalData?.['movedTo'] === objectPk,
  );
  // Data of the application may look like a move.
  if (leaving < 0) return undefined;
  const earlier = before.slice(0, leaving);
  const life = livesOf(await withBrought(source, earlier, from), registration).at(-1) ?? [];
  return new Map(linkedNames(registration).map((name) => [name, [...linksIn(life, name, 0).values()]]));
}

/** Ids grow, so that keys that went in a circle come to an end. */
async function withBrought(
  source: LifeSource,
  entries: readonly LifeEntry[],
  objectPk: string,
): Promise<LifeEntry[]> {
  const all: LifeEntry[] = [];
  for (const entry of entries) {
    const brought = entry.action === 'create' ? await broughtLinks(source, entry, objectPk) : undefined;
    all.push(brought ? { ...entry, brought } : entry);
  }
  return all;
}

/** Creates, deletes and links of one object in the order they happened, and which of them lie before each of the times. */
export async function lifeOf(
  { LogEntry, sequelize }: HistorySettings,
  registration: Registration,
  key: Readonly<Record<string, string>>,
  times: readonly When[],
  transaction: Transaction | null | undefined,
): Promise<LifeEntry[]> {
  const source = { LogEntry, sequelize, registration, transaction };
  const objectPk = objectPkText(key);
  const flags = times.map((when) => entryNotAfter(`the past of ${registration.name}`, when));
  return withBrought(source, await readLife(source, objectPk, flags), objectPk);
}

/** A soft delete leaves the row, and with it the links. */
function isHardDelete({ action, changes }: LifeEntry, deletedAt: string | undefined): boolean {
  if (action !== 'delete') return false;
  const change = deletedAt === undefined ? undefined : changes?.[deletedAt];
  return !(Array.isArray(change) && change[1] !== null);
}

/** Divided where the row came or went: links of a row that was deleted went with it, in no entry of their own. */
function livesOf(entries: readonly LifeEntry[], { tracked }: Registration): LifeEntry[][] {
  const deletedAt = tracked.deletedAt?.attribute;
  const lives: LifeEntry[][] = [[]];
  for (const entry of entries) {
    if (entry.action === 'create' || isHardDelete(entry, deletedAt)) lives.push([entry]);
    else lives.at(-1)!.push(entry);
  }
  return lives;
}

/** One link, counted from the beginning of a life. */
interface CountedLink {
  link: LinkedObject;
  /** Up to the last entry that was read, the least of it so far, and up to the time that is asked for. */
  count: number;
  lowest: number;
  countThen: number;
}

function isLinkChange(change: unknown): change is LinkChange {
  return typeof change === 'object' && change !== null && (change as { type?: unknown }).type === 'm2m';
}

/** What one entry did to an association, what went first: a link that a statement replaced was there before and is after. */
function stepsOf(entry: LifeEntry, name: string): (readonly [LinkedObject, number])[] {
  const brought = entry.brought?.get(name);
  if (brought) return brought.map((link) => [link, 1] as const);
  const change = entry.changes?.[name];
  if (!isLinkChange(change)) return [];
  return [
    ...change.removed.map((link) => [link, -1] as const),
    ...change.added.map((link) => [link, 1] as const),
  ];
}

/**
 * The links at one of the times, within the life it lies in. A link that is removed without having been added was there from
 * the beginning of what is recorded.
 */
function linksIn(life: readonly LifeEntry[], name: string, at: number): Map<string, LinkedObject> {
  const links = new Map<string, CountedLink>();
  for (const entry of life) {
    for (const [link, step] of stepsOf(entry, name)) {
      const known = links.get(link.pk) ?? { link, count: 0, lowest: 0, countThen: 0 };
      known.count += step;
      known.lowest = Math.min(known.lowest, known.count);
      if (entry.isAt[at]) [known.link, known.countThen] = [link, known.count];
      links.set(link.pk, known);
    }
  }
  const there = [...links].filter(([, { countThen, lowest }]) => countThen - lowest > 0);
  return new Map(there.map(([pk, { link }]) => [pk, link]));
}

function lifeAt(lives: readonly LifeEntry[][], at: number): readonly LifeEntry[] {
  return lives.findLast((life) => life[0]?.isAt[at] === true) ?? lives[0]!;
}

const INTEGER = /^-?\d+$/;

/** Integers by value, other keys by their characters, whatever the process's locale. */
function byKey({ pk: a }: LinkedObject, { pk: b }: LinkedObject): number {
  if (INTEGER.test(a) && INTEGER.test(b)) return BigInt(a) < BigInt(b) ? -1 : 1;
  return a < b ? -1 : 1;
}

function missingIn(
  links: ReadonlyMap<string, LinkedObject>,
  others: ReadonlyMap<string, unknown>,
): LinkedObject[] {
  return [...links.values()].filter(({ pk }) => !others.has(pk)).toSorted(byKey);
}

/** What differs in the links of an object between the first and the second of the times that `entries` were read for. */
export function linkDiffs(registration: Registration, entries: readonly LifeEntry[]): LinkDiff[] {
  const lives = livesOf(entries, registration);
  const diffs = linkedNames(registration).map((attribute) => {
    const [from, to] = [0, 1].map((at) => linksIn(lifeAt(lives, at), attribute, at)) as [
      Map<string, LinkedObject>,
      Map<string, LinkedObject>,
    ];
    return { attribute, added: missingIn(to, from), removed: missingIn(from, to) };
  });
  return diffs.filter(({ added, removed }) => added.length + removed.length > 0);
}

/** The links of an object at one of the times that `entries` were read for, as far as they were ever recorded. */
export function linksThen(
  registration: Registration,
  entries: readonly LifeEntry[],
  at: number,
): { readonly attribute: string; readonly links: LinkedObject[] }[] {
  const life = lifeAt(livesOf(entries, registration), at);
  return linkedNames(registration).map((attribute) => ({
    attribute,
    links: [...linksIn(life, attribute, at).values()].toSorted(byKey),
  }));
}
