import { createHash } from 'node:crypto';
import { valueText } from '../history/display';
import type { JsonValue } from '../core/types';
import type { LinkDiff } from '../past/links-at';
import { timeText } from '../schema/exact-time';

/** A value as the model reads it, in the form in which entries hold it. */
export function jsonOf(value: unknown): JsonValue {
  if (value instanceof Date) return timeText(value);
  if (typeof value === 'bigint') return String(value);
  if (value === undefined) return null;
  if (Buffer.isBuffer(value))
    return { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
  if (Array.isArray(value)) return value.map(jsonOf);
  return value as JsonValue;
}

/** The same for a person, cut where it is long. */
export function textOf(value: unknown): string {
  return valueText(jsonOf(value));
}

function isLinks(change: object): change is LinkDiff {
  return 'added' in change;
}

/** What changes from one value to another, and links that come and go. */
export type ShownChange = LinkDiff | { readonly attribute: string };

/** One row of a table: attribute, before, after. @param sides the names under which the change holds its values */
export function changeRow(
  change: ShownChange,
  [before, after]: readonly [string, string],
): readonly [string, string, string] {
  const { attribute } = change;
  if (!isLinks(change)) {
    const values = change as unknown as Readonly<Record<string, unknown>>;
    return [attribute, textOf(values[before]), textOf(values[after])];
  }
  const names = (links: LinkDiff['added']): string => links.map(({ repr }) => repr).join(', ');
  return [attribute, names(change.removed), names(change.added)];
}

/** The change as JSON. */
export function changeJson(change: ShownChange): JsonValue {
  if (isLinks(change)) return change as unknown as JsonValue;
  return Object.fromEntries(Object.entries(change).map(([name, value]) => [name, jsonOf(value)]));
}
