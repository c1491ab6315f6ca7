import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from 'sequelize-auditlog';
import { quoted, type DatabaseImage, type Row, type TableImage } from './database-image';
import {
  linkChanges,
  pkOf,
  rowChanges,
  tableImage,
  type LinkChange,
  type RowChange,
  type ValueChanges,
} from './expected';
import type { Subject, TableName } from './subjects';

interface LinkDelta {
  readonly type: 'm2m';
  readonly added: readonly { pk: string; repr: string }[];
  readonly removed: readonly { pk: string; repr: string }[];
}

/** An entry of the log as it was read. */
interface Entry {
  readonly id: string;
  readonly row: Row;
  readonly model: string;
  readonly pk: string;
  readonly action: string;
  readonly values: ValueChanges;
  readonly links: Readonly<Record<string, LinkDelta>>;
}

/** Who is to stand on every entry, and how many there are to be. */
export interface Demand {
  readonly entries: number;
  readonly actorId: string;
  readonly reason: string;
}

function isLink(change: unknown): change is LinkDelta {
  return !Array.isArray(change);
}

function entryOf(row: Row): Entry {
  const changes = Object.entries(JSON.parse(row['changes'] ?? '{}') as Record<string, JsonValue>);
  return {
    id: String(row['id']),
    row,
    model: String(row['model']),
    pk: String(row['object_pk']),
    action: String(row['action']),
    values: Object.fromEntries(changes.filter(([, change]) => !isLink(change))) as ValueChanges,
    links: Object.fromEntries(changes.filter(([, change]) => isLink(change))) as Record<string, never>,
  };
}

function addedRows(before: TableImage, after: TableImage, id: string): Row[] {
  const known = new Set(before.rows.map((row) => row[id]));
  return after.rows.filter((row) => !known.has(row[id])).toSorted((a, b) => Number(a[id]) - Number(b[id]));
}

/** Everything wrong with the entries and versions that lie between two images; an empty list when all is right. */
export class Comparison {
  readonly #subjects: readonly Subject[];
  readonly #before: DatabaseImage;
  readonly #after: DatabaseImage;
  readonly #entries: readonly Entry[];
  readonly #wrong: string[] = [];

  constructor(subjects: readonly Subject[], log: TableName, before: DatabaseImage, after: DatabaseImage) {
    this.#subjects = subjects;
    this.#before = before;
    this.#after = after;
    this.#entries = addedRows(tableImage(before, log), tableImage(after, log), 'id').map(entryOf);
  }

  wrongs({ entries, actorId, reason }: Demand): readonly string[] {
    this.#expect('number of entries', this.#entries.length, entries);
    for (const entry of this.#entries) {
      this.#expect(`actor of ${entry.id}`, entry.row['actor_id'], actorId);
      this.#expect(`reason of ${entry.id}`, entry.row['reason'], reason);
      if (!this.#subjects.some(({ name }) => name === entry.model)) this.#say('phantom', entry.row);
    }
    for (const subject of this.#subjects) this.#compareSubject(subject);
    return this.#wrong;
  }

  #say(what: string, ...about: unknown[]): void {
    this.#wrong.push(`${what}: ${about.map((each) => JSON.stringify(each)).join(' ')}`);
  }

  #expect(what: string, seen: unknown, wanted: unknown): void {
    if (!isDeepStrictEqual(seen, wanted)) this.#say(what, { seen, wanted });
  }

  #compareSubject(subject: Subject): void {
    const wanted = new Map(rowChanges(subject, this.#before, this.#after).map((each) => [each.pk, each]));
    const own = this.#entries.filter(({ model }) => model === subject.name);
    const written = own.filter(({ values, links }) => Object.keys(values).length > 0 || isEmpty(links));
    const byPk = grouped(written);
    for (const pk of new Set([...wanted.keys(), ...byPk.keys()])) {
      this.#compareObject(subject, pk, byPk.get(pk) ?? [], wanted.get(pk) ?? null);
    }
    this.#compareLinks(
      subject,
      own.filter(({ links }) => !isEmpty(links)),
    );
    this.#compareVersions(subject, written, wanted);
  }

  #compareObject(subject: Subject, pk: string, entries: readonly Entry[], wanted: RowChange | null): void {
    const what = `${subject.name} ${pk}`;
    this.#checkChain(what, entries);
    this.#expect(`changes of ${what}`, composed(entries), wanted?.changes ?? {});
    const last = entries.at(-1);
    if (!wanted || !last) return;
    if (entries.length === 1 || !wanted.isGone)
      this.#expect(`objectRepr of ${what}`, last.row['object_repr'], wanted.repr);
    if (entries.length === 1) this.#expect(`action on ${what}`, last.action, wanted.action);
    else this.#expect(`first action on ${what}`, entries[0]?.action === 'create', wanted.action === 'create');
  }

  /** Each entry's old value is the new one of the entry before. */
  #checkChain(what: string, entries: readonly Entry[]): void {
    const state: Record<string, JsonValue> = {};
    for (const { id, values } of entries) {
      for (const [attribute, [old, now]] of Object.entries(values)) {
        if (attribute in state) this.#expect(`old ${attribute} of ${what} in ${id}`, old, state[attribute]);
        if (isDeepStrictEqual(old, now) && now !== '********')
          this.#say(`unchanged ${attribute} of ${what}`, old);
        state[attribute] = now;
      }
    }
  }

  #compareLinks(subject: Subject, entries: readonly Entry[]): void {
    for (const entry of entries) this.#expect(`action of links`, entry.action, 'update');
    const seen = linksByOwner(subject, entries);
    const wanted = linkChanges(subject, this.#before, this.#after).map(plainLinks);
    this.#expect(`links of ${subject.name}`, seen, wanted.toSorted(byText));
  }

  #compareVersions(
    subject: Subject,
    entries: readonly Entry[],
    wanted: ReadonlyMap<string, RowChange>,
  ): void {
    if (!subject.history) return;
    const [before, after] = [this.#before, this.#after].map((image) =>
      image.get(quoted(subject.history as TableName)),
    );
    const versions = addedRows(before as TableImage, after as TableImage, 'history_id').toSorted(
      (a, b) => Number(a['log_entry_id']) - Number(b['log_entry_id']),
    );
    this.#expect(
      `versions of ${subject.name}`,
      versions.map((each) => each['log_entry_id']),
      entries.map(({ id }) => id),
    );
    this.#checkOrder(subject, versions);
    versions.forEach((version, at) => {
      const entry = entries[at] as Entry;
      this.#compareVersion(subject, version, entry, knownState(entries, entry, wanted.get(entry.pk)));
    });
  }

  /** Of one object, later entries have later versions. */
  #checkOrder(subject: Subject, versions: readonly Row[]): void {
    const last = new Map<string, number>();
    for (const version of versions) {
      const [pk, id] = [pkOf(subject, version), Number(version['history_id'])];
      if ((last.get(pk) ?? 0) > id) this.#say(`versions of ${subject.name} ${pk} are out of order`);
      last.set(pk, id);
    }
  }

  #compareVersion(subject: Subject, version: Row, entry: Entry, state: Row | null): void {
    const what = `version of ${subject.name} ${entry.pk}`;
    const type = { create: '+', update: '~', delete: '-' }[entry.action];
    const { history_type, history_date, history_user_id, history_change_reason } = version;
    this.#expect(`type of ${what}`, history_type, type);
    this.#expect(`date of ${what}`, history_date, entry.row['timestamp']);
    this.#expect(`user of ${what}`, history_user_id, entry.row['actor_id']);
    this.#expect(`reason of ${what}`, history_change_reason, entry.row['reason']);
    if (!state) return;
    for (const { column, isMasked } of subject.columns) {
      const value = state[column] ?? null;
      this.#expect(`${column} in ${what}`, version[column], isMasked && value !== null ? '********' : value);
    }
    this.#expect(`columns of ${what}`, Object.keys(version).length, subject.columns.length + HISTORY_COLUMNS);
  }
}

const HISTORY_COLUMNS = 6;

/** The row after an entry, where the images tell: after the last entry of an object, before its only one. */
function knownState(entries: readonly Entry[], entry: Entry, wanted: RowChange | undefined): Row | null {
  const own = entries.filter(({ pk }) => pk === entry.pk);
  if (!wanted || own.at(-1) !== entry || (own.length > 1 && wanted.isGone)) return null;
  return wanted.state;
}

function isEmpty(links: object): boolean {
  return Object.keys(links).length === 0;
}

function grouped(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const byPk = new Map<string, Entry[]>();
  for (const entry of entries) byPk.set(entry.pk, [...(byPk.get(entry.pk) ?? []), entry]);
  return byPk;
}

/** What a chain of entries amounts to. */
function composed(entries: readonly Entry[]): ValueChanges {
  const net: ValueChanges = {};
  for (const { values } of entries) {
    for (const [attribute, [old, now]] of Object.entries(values)) {
      net[attribute] = [net[attribute] ? net[attribute][0] : old, now];
    }
  }
  const isChange = ([, [old, now]]: [string, [JsonValue, JsonValue]]): boolean =>
    entries.length === 1 || !isDeepStrictEqual(old, now);
  return Object.fromEntries(Object.entries(net).filter(isChange));
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function plainLinks({ pk, association, added, removed, repr }: LinkChange) {
  return { pk, association, repr, added: added.toSorted(), removed: removed.toSorted() };
}

/** What all link entries of an owner amount to. */
function linksByOwner(subject: Subject, entries: readonly Entry[]) {
  const found = new Map<string, LinkChange & { added: string[]; removed: string[] }>();
  for (const { pk, row, links } of entries) {
    for (const [association, { added, removed }] of Object.entries(links)) {
      const id = JSON.stringify([pk, association]);
      const repr = String(row['object_repr']);
      const known = found.get(id) ?? { subject, pk, repr, association, added: [], removed: [] };
      known.added.push(...added.map((each) => `${each.pk} ${each.repr}`));
      known.removed.push(...removed.map((each) => `${each.pk} ${each.repr}`));
      found.set(id, known);
    }
  }
  return [...found.values()].map(plainLinks).toSorted(byText);
}

/** Whether two images are the same, tables and log alike. */
export function differences(before: DatabaseImage, after: DatabaseImage): string[] {
  return [...after.keys()].filter((name) => {
    const rows = (image: DatabaseImage): string[] =>
      (image.get(name)?.rows ?? []).map((row) => JSON.stringify(row)).toSorted();
    return !isDeepStrictEqual(rows(before), rows(after));
  });
}
