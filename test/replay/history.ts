import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from 'sequelize-auditlog';
import type { DatabaseImage, Row } from '../write-paths/database-image';
import { changesBetween, pkOf, rowsByPk, tableImage } from '../write-paths/expected';
import type { Link, Subject } from '../write-paths/subjects';
import { jsonOf } from '../write-paths/values';

const TIMESTAMP = { name: 'timestamptz', element: null };

type State = Record<string, JsonValue>;
type Pair = [JsonValue, JsonValue];

interface LinkDelta {
  readonly added: readonly { pk: string }[];
  readonly removed: readonly { pk: string }[];
}

/** One object as its entries, read from nothing, say it became. */
interface Replayed {
  state: State | null;
  readonly links: Map<string, Set<string>>;
  lastDate: string;
  /** Entries that are no mere links, and so have versions. */
  readonly entries: Row[];
}

/** Reads all entries of a model from nothing; collects everything that does not fit. */
export class History {
  readonly #subject: Subject;
  readonly #image: DatabaseImage;
  readonly #wrong: string[] = [];
  readonly #objects = new Map<string, Replayed>();

  constructor(subject: Subject, image: DatabaseImage) {
    this.#subject = subject;
    this.#image = image;
  }

  /** @param entries of this model, oldest first */
  wrongs(entries: readonly Row[]): readonly string[] {
    for (const entry of entries) this.#replay(entry);
    this.#compareRows();
    for (const link of this.#subject.links) this.#compareLinks(link);
    this.#compareVersions();
    return this.#wrong;
  }

  #say(entry: Row | null, what: string, ...about: unknown[]): void {
    const which = entry
      ? `${entry['action']} ${entry['id']} of ${this.#subject.name} ${entry['object_pk']}`
      : this.#subject.name;
    this.#wrong.push(`${which}: ${what} ${about.map((each) => JSON.stringify(each)).join(' ')}`);
  }

  #object(pk: string): Replayed {
    const known = this.#objects.get(pk) ?? { state: null, links: new Map(), lastDate: '', entries: [] };
    this.#objects.set(pk, known);
    return known;
  }

  #replay(entry: Row): void {
    const object = this.#object(String(entry['object_pk']));
    const changes = Object.entries(JSON.parse(String(entry['changes'])) as Record<string, Pair | LinkDelta>);
    const links = changes.filter((change): change is [string, LinkDelta] => !Array.isArray(change[1]));
    const values = changes.filter((change): change is [string, Pair] => Array.isArray(change[1]));
    for (const [name, delta] of links) this.#replayLinks(entry, object, name, delta);
    if (links.length > 0) return;
    this.#checkDate(entry, object);
    object.entries.push(entry);
    this.#replayValues(entry, object, values);
  }

  /** Not of links: they don't wait for the owner's row, so two writers may draw clock and id in different order. */
  #checkDate(entry: Row, object: Replayed): void {
    const date = jsonOf(entry['timestamp'] ?? null, TIMESTAMP) as string;
    if (date < object.lastDate) this.#say(entry, 'is dated before the one before', date, object.lastDate);
    object.lastDate = date;
  }

  #replayValues(entry: Row, object: Replayed, values: readonly (readonly [string, Pair])[]): void {
    const isCreate = entry['action'] === 'create';
    if (isCreate !== (object.state === null))
      this.#say(entry, isCreate ? 'is there already' : 'is not there');
    const state: State = { ...object.state };
    for (const [name, [old, now]] of values) {
      if (!isDeepStrictEqual(state[name] ?? null, old))
        this.#say(entry, `${name} was`, state[name] ?? null, 'not', old);
      if (now === null) delete state[name];
      else state[name] = now;
    }
    const isGone =
      entry['action'] === 'delete' && values.some(([name, [, now]]) => this.#isKey(name) && now === null);
    if (isGone && Object.keys(state).length > 0) this.#say(entry, 'leaves values', state);
    object.state = isGone ? null : state;
    if (isGone) object.links.clear();
  }

  #isKey(attribute: string): boolean {
    const column = this.#subject.columns.find((each) => each.attribute === attribute)?.column ?? '';
    return this.#subject.keys.includes(column);
  }

  #replayLinks(entry: Row, object: Replayed, name: string, { added, removed }: LinkDelta): void {
    if (object.state === null) this.#say(entry, 'links, but is not there');
    const links = object.links.get(name) ?? new Set();
    object.links.set(name, links);
    for (const { pk } of removed) if (!links.delete(pk)) this.#say(entry, 'unlinks what is not linked', pk);
    for (const { pk } of added) {
      if (links.has(pk)) this.#say(entry, 'links what is linked', pk);
      links.add(pk);
    }
  }

  #compareRows(): void {
    const rows = rowsByPk(this.#image, this.#subject);
    const { types } = tableImage(this.#image, this.#subject.table);
    for (const pk of new Set([...rows.keys(), ...this.#objects.keys()])) {
      const changes = changesBetween(this.#subject, types, null, rows.get(pk) ?? null);
      const stored = rows.has(pk)
        ? Object.fromEntries(Object.entries(changes).map(([name, [, now]]) => [name, now]))
        : null;
      const replayed = this.#objects.get(pk)?.state ?? null;
      if (!isDeepStrictEqual(replayed, stored))
        this.#say(null, `${pk} is replayed as`, replayed, 'stored as', stored);
    }
  }

  #compareLinks({ association, through, ownerColumn, targetColumn }: Link): void {
    const stored = tableImage(this.#image, through).rows.map(
      (row) => `${row[ownerColumn]} ${row[targetColumn]}`,
    );
    const replayed = [...this.#objects].flatMap(([pk, { links }]) =>
      [...(links.get(association) ?? [])].map((each) => `${pk} ${each}`),
    );
    const [missing, extra] = [
      stored.filter((each) => !replayed.includes(each)),
      replayed.filter((each) => !stored.includes(each)),
    ];
    if (missing.length + extra.length > 0) this.#say(null, association, { missing, extra });
  }

  #compareVersions(): void {
    const { history } = this.#subject;
    if (!history) return;
    const byPk = new Map<string, Row[]>();
    for (const version of tableImage(this.#image, history).rows) {
      const pk = pkOf(this.#subject, version);
      byPk.set(pk, [...(byPk.get(pk) ?? []), version]);
    }
    const rows = rowsByPk(this.#image, this.#subject);
    for (const pk of new Set([...byPk.keys(), ...this.#objects.keys()])) {
      const versions = (byPk.get(pk) ?? []).toSorted(
        (a, b) => Number(a['history_id']) - Number(b['history_id']),
      );
      this.#compareObjectVersions(pk, versions, rows.get(pk) ?? null);
    }
  }

  #compareObjectVersions(pk: string, versions: readonly Row[], row: Row | null): void {
    const entries = this.#objects.get(pk)?.entries ?? [];
    const seen = versions.map((each) => [
      each['log_entry_id'],
      each['history_date'],
      each['history_type'],
      each['history_user_id'],
    ]);
    const types: Readonly<Record<string, string>> = { create: '+', update: '~', delete: '-' };
    const wanted = entries.map((each) => [
      each['id'],
      each['timestamp'],
      types[String(each['action'])],
      each['actor_id'],
    ]);
    if (!isDeepStrictEqual(seen, wanted)) this.#say(null, `versions of ${pk}`, seen, 'not', wanted);
    const last = versions.at(-1);
    for (const { column, isMasked, inChanges } of row && last ? this.#subject.columns : []) {
      const value = row?.[column] ?? null;
      // A write that changes managed timestamps only leaves no version.
      if (!inChanges) continue;
      if (last?.[column] !== (isMasked && value !== null ? '********' : value))
        this.#say(null, `${column} of ${pk} is`, value, 'in the last version', last?.[column]);
    }
  }
}
