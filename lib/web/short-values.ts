import { boundedText } from '../context/text';
import type { JsonValue } from '../core/types';
import { fullText } from '../history/display';

/** Characters of a value within a sentence. */
const MAX = 40;
/** How much of what two values share is shown before they differ. */
const SHARED = 10;
const DOTS = '…';

function cut(text: string, from: number): string {
  // Not in the middle of a character of two units.
  const start = /[\udc00-\udfff]/.test(text.charAt(from)) ? from - 1 : from;
  const room = start > 0 ? MAX - 1 : MAX;
  const rest = text.slice(start);
  const shown = rest.length <= room ? rest : `${boundedText(rest, room - 1)}${DOTS}`;
  return start > 0 ? `${DOTS}${shown}` : shown;
}

function firstDifference(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at;
}

/** One value in at most 40 characters. */
export function shortText(value: JsonValue): string {
  return cut(fullText(value), 0);
}

/** An old and a new value in at most 40 characters each; what is longer begins just before the first difference. */
export function shortTexts(old: JsonValue, now: JsonValue): readonly [string, string] {
  const [a, b] = [fullText(old), fullText(now)];
  if (old === null || now === null || Math.max(a.length, b.length) <= MAX) return [cut(a, 0), cut(b, 0)];
  const difference = firstDifference(a, b);
  const from = difference < MAX - 1 ? 0 : difference - SHARED;
  return [cut(a, from), cut(b, from)];
}
