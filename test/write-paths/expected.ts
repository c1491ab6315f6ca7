import type { JsonValue } from 'sequelize-auditlog';
import { quoted, type DatabaseImage, type Row, type TableImage } from './database-image';
import type { Column, Link, Subject } from './subjects';
import { isDeepStrictEqual } from 'node:util';
import { jsonOf, type PgType } from './values';

const MASK = '********';
const UNKNOWN: PgType = { name: 'unknown', element: null };

export type ValueChanges = Record<string, [JsonValue, JsonValue]>;

/** What happened to one row between two images, as its entry must tell it. */
export interface RowChange {
  readonly subject: Subject;
  readonly pk: string;
  readonly action: 'create' | 'update' | 'delete';
  readonly changes: ValueChanges;
  readonly repr: string;
  /** The row as its version must show it: the last state of one that is gone. */
  readonly state: Row;
  readonly isGone: boolean;
}

/** Links that came or went, as `pk` and `repr` of their targets. */
export interface LinkChange {
  readonly subject: Subject;
  readonly pk: string;
  readonly repr: string;
  readonly association: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

function keyTexts(subject: Subject, row: Row): string[] {
  return subject.keys.map((key) => String(row[key]));
}

export function pkOf(subject: Subject, row: Row): string {
  const texts = keyTexts(subject, row);
  return texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts);
}

export function reprOf(subject: Subject, row: Row): string {
  const { repr, columns } = subject;
  if (repr === null) return `${subject.name} ${pkOf(subject, row)}`.slice(0, 255);
  const value = (name: string): string => {
    const found = columns.find(({ attribute }) => attribute === name);
    return (found && row[found.column]) ?? '';
  };
  return repr.replaceAll(/\{(.*?)\}/g, (_, name: string) => value(name)).slice(0, 255);
}

export function tableImage(image: DatabaseImage, table: Subject['table']): TableImage {
  const found = image.get(quoted(table));
  if (!found) throw new Error(`${quoted(table)} was not read`);
  return found;
}

/** Rows by the text of their key. */
export function rowsByPk(image: DatabaseImage, subject: Subject): Map<string, Row> {
  return new Map(tableImage(image, subject.table).rows.map((row) => [pkOf(subject, row), row]));
}

function shown({ isMasked }: Column, value: JsonValue): JsonValue {
  return isMasked && value !== null ? MASK : value;
}

/** `[old, new]` of every tracked attribute that differs between two states of one row; null is no row. */
export function changesBetween(
  subject: Subject,
  types: TableImage['types'],
  before: Row | null,
  after: Row | null,
): ValueChanges {
  const changes: ValueChanges = {};
  for (const column of subject.columns) {
    if (!column.inChanges) continue;
    const read = (row: Row | null): JsonValue =>
      jsonOf(row?.[column.column] ?? null, types.get(column.column) ?? UNKNOWN);
    const [old, now] = [read(before), read(after)];
    if (!isDeepStrictEqual(old, now)) changes[column.attribute] = [shown(column, old), shown(column, now)];
  }
  return changes;
}

function actionOf(subject: Subject, before: Row | null, after: Row | null): RowChange['action'] {
  if (!before) return 'create';
  if (!after) return 'delete';
  const { deletedAt } = subject;
  return deletedAt && before[deletedAt] === null && after[deletedAt] !== null ? 'delete' : 'update';
}

/** All changes that entries must tell of, between two images of the database. */
export function rowChanges(subject: Subject, before: DatabaseImage, after: DatabaseImage): RowChange[] {
  const [old, now] = [rowsByPk(before, subject), rowsByPk(after, subject)];
  const { types } = tableImage(after, subject.table);
  const pks = [...new Set([...old.keys(), ...now.keys()])];
  return pks.flatMap((pk) => {
    const [was, is] = [old.get(pk) ?? null, now.get(pk) ?? null];
    const changes = changesBetween(subject, types, was, is);
    if (Object.keys(changes).length === 0) return [];
    const state = (is ?? was) as Row;
    const action = actionOf(subject, was, is);
    return [{ subject, pk, action, changes, repr: reprOf(subject, state), state, isGone: is === null }];
  });
}

function linksOf(image: DatabaseImage, link: Link): Map<string, Set<string>> {
  const links = new Map<string, Set<string>>();
  for (const row of tableImage(image, link.through).rows) {
    const [owner, target] = [row[link.ownerColumn], row[link.targetColumn]];
    if (owner === null || target === null || owner === undefined || target === undefined) continue;
    links.set(owner, (links.get(owner) ?? new Set()).add(target));
  }
  return links;
}

/** All links that entries must tell of; an owner that is gone says so itself, and nothing of its links. */
export function linkChanges(subject: Subject, before: DatabaseImage, after: DatabaseImage): LinkChange[] {
  return subject.links.flatMap((link) => {
    const [old, now] = [linksOf(before, link), linksOf(after, link)];
    const targets = new Map([...rowsByPk(before, link.target), ...rowsByPk(after, link.target)]);
    const named = (pk: string): string => `${pk} ${reprOf(link.target, targets.get(pk) ?? {})}`;
    const missing = (from: Set<string> | undefined, in_: Set<string> | undefined): string[] =>
      [...(from ?? [])].filter((each) => !in_?.has(each)).map(named);
    return [...rowsByPk(after, subject)].flatMap(([pk, row]) => {
      const added = missing(now.get(pk), old.get(pk));
      const removed = missing(old.get(pk), now.get(pk));
      const { association } = link;
      return added.length + removed.length === 0
        ? []
        : [{ subject, pk, repr: reprOf(subject, row), association, added, removed }];
    });
  });
}
