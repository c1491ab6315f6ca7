import { sharedStart } from './words';

/** A piece of a text, or how many characters are left out in its place. */
export type Part = string | { readonly cut: number };

/** Longer values are shortened, for a list. */
export const LIMIT = 140;

/** What is kept at the beginning, before the first difference, and at the end. */
const KEEP_START = 8;
const KEEP_BEFORE = 20;
const KEEP_END = 8;
/** Characters that a mark such as `[1,234 chars]` takes: fewer are not worth one. */
const MARK = 13;

/** The same place, or one before it where it would divide a character of two units. */
function boundary(text: string, at: number): number {
  return at > 0 && /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1))
    ? at - 1
    : at;
}

/** A beginning of a text with its middle left out. */
function cutStart(text: string, until: number): Part[] {
  const [start, end] = [boundary(text, KEEP_START), boundary(text, until - KEEP_BEFORE)];
  if (end - start <= MARK) return [text.slice(0, until)];
  return [text.slice(0, start), { cut: end - start }, text.slice(end, until)];
}

/** The rest of a text, which keeps its end. */
function cutRest(text: string, from: number, room: number): Part[] {
  const start = boundary(text, from + Math.max(room - KEEP_END - MARK, KEEP_BEFORE));
  const end = boundary(text, text.length - KEEP_END);
  if (text.length - from <= room || end - start <= MARK) return [text.slice(from)];
  return [text.slice(from, start), { cut: end - start }, text.slice(end)];
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce<number>((sum, part) => sum + (typeof part === 'string' ? part.length : MARK), 0);
}

function join(start: readonly Part[], rest: readonly Part[]): Part[] {
  const [last, first] = [start.at(-1), rest[0]];
  if (typeof last !== 'string' || typeof first !== 'string') return [...start, ...rest];
  return [...start.slice(0, -1), last + first, ...rest.slice(1)];
}

/**
 * Two texts, shortened together when one is longer than `limit`: what they share at the beginning is cut alike in both, so that
 * the first difference lines up; long rests keep their ends. Each is treated alike, so swapping them swaps the answer.
 */
export function shortenPair(a: string, b: string, limit: number = LIMIT): readonly [Part[], Part[]] {
  if (Math.max(a.length, b.length) <= limit) return [[a], [b]];
  const shared = sharedStart(a, b);
  const start = cutStart(a, shared);
  const room = Math.max(limit - lengthOf(start), KEEP_BEFORE);
  const cut = (text: string): Part[] => join(start, cutRest(text, shared, room));
  return [cut(a), cut(b)];
}

/** One text. */
export function shorten(text: string, limit: number = LIMIT): Part[] {
  return text.length <= limit ? [text] : cutRest(text, 0, limit);
}
