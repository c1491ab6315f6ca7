import { diffArrays } from 'diff';
import type { JsonValue } from '../../core/types';

/** Keys and indexes that lead to a value; of an element that both lists have, its index in the new one. */
export type JsonPath = readonly (string | number)[];

/** A difference of two documents. `undefined` is a value that one of them doesn't have, which is not null. */
export interface JsonChange {
  readonly path: JsonPath;
  readonly old: JsonValue | undefined;
  readonly new: JsonValue | undefined;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

/** Below this a document is compared as a whole. */
const MAX_DEPTH = 24;
/** With more differences between two lists, elements are compared by their index. */
const MAX_EDITS = 200;

export function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.keys(value)
    .toSorted()
    .map((key) => [key, sorted(value[key]!)]);
}

/** One text per value, whatever the order of its keys. */
function canonical(value: JsonValue): string {
  return `${isObject(value) ? '{' : ''}${JSON.stringify(sorted(value))}`;
}

function* objectChanges(old: JsonObject, now: JsonObject, path: JsonPath): Generator<JsonChange> {
  const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
  const own = (object: JsonObject, key: string): JsonValue | undefined =>
    Object.hasOwn(object, key) ? object[key] : undefined;
  for (const key of [...keys].toSorted()) yield* changes(own(old, key), own(now, key), [...path, key]);
}

/** Elements that took the place of others are compared with them, one by one. */
function* replaced(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  [oldAt, newAt]: readonly [number, number],
  path: JsonPath,
): Generator<JsonChange> {
  for (let index = 0; index < Math.max(old.length, now.length); index += 1) {
    const at = index < now.length ? newAt + index : oldAt + index;
    yield* changes(old[index], now[index], [...path, at]);
  }
}

function* listChanges(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  path: JsonPath,
): Generator<JsonChange> {
  const runs = diffArrays(old.map(canonical), now.map(canonical), { maxEditLength: MAX_EDITS });
  if (!runs) return yield* replaced(old, now, [0, 0], path);
  let [oldAt, newAt, oldEnd, newEnd] = [0, 0, 0, 0];
  for (const { added, removed, count } of [...runs, { added: false, removed: false, count: 0 }]) {
    if (removed) oldEnd += count;
    else if (added) newEnd += count;
    else {
      yield* replaced(old.slice(oldAt, oldEnd), now.slice(newAt, newEnd), [oldAt, newAt], path);
      [oldAt, newAt] = [oldEnd + count, newEnd + count];
      [oldEnd, newEnd] = [oldAt, newAt];
    }
  }
}

function* changes(
  old: JsonValue | undefined,
  now: JsonValue | undefined,
  path: JsonPath,
): Generator<JsonChange> {
  if (old === now) return;
  const isShallow = path.length < MAX_DEPTH;
  if (isShallow && isObject(old) && isObject(now)) yield* objectChanges(old, now, path);
  else if (isShallow && Array.isArray(old) && Array.isArray(now)) yield* listChanges(old, now, path);
  else if (old === undefined || now === undefined || canonical(old) !== canonical(now))
    yield { path, old, new: now };
}

/** What differs between two documents, key by key in alphabetical order, list by list in their order. */
export function diffJson(old: JsonValue, now: JsonValue): JsonChange[] {
  return [...changes(old, now, [])];
}

const NAME = /^[\p{L}_$][\p{L}\p{N}_$-]*$/u;

/** `address.lines[0]["a b"]` */
export function pathText(path: JsonPath): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      if (!NAME.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join('');
}
