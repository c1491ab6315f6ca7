import { diffWordsWithSpace } from 'diff';

/** A part of two texts that are compared: in both, only in the old one, or only in the new one. */
export interface Segment {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** A part as it is shown: `folded` stands for words that both texts have, far from any difference. */
export interface Piece {
  readonly kind: Segment['kind'] | 'folded';
  readonly text: string;
  /** How many words are folded. */
  readonly words: number;
}

/** Beyond this the comparison would cost more than a person gains by it: texts so different are shown one after the other. */
const MAX_EDITS = 160;
const MAX_LENGTH = 200_000;
/** Words shown on either side of a difference. */
const CONTEXT = 8;
/** Fewer than this are not worth a fold. */
const LEAST_FOLDED = 4;

const isHigh = (unit: string): boolean => /[\ud800-\udbff]/.test(unit);

/** How many units two texts share from the beginning, whole characters only. */
export function sharedStart(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at > 0 && isHigh(a.charAt(at - 1)) ? at - 1 : at;
}

function sharedEnd(a: string, b: string, limit: number): number {
  let count = 0;
  while (count < limit && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count))
    count += 1;
  return count > 0 && /[\udc00-\udfff]/.test(a.charAt(a.length - count)) ? count - 1 : count;
}

/** What two texts have in common at both ends, and all between as replaced. */
function coarse(a: string, b: string): Segment[] {
  const start = sharedStart(a, b);
  const end = sharedEnd(a, b, Math.min(a.length, b.length) - start);
  return [
    { kind: 'same', text: a.slice(0, start) },
    { kind: 'removed', text: a.slice(start, a.length - end) },
    { kind: 'added', text: b.slice(start, b.length - end) },
    { kind: 'same', text: a.slice(a.length - end) },
  ];
}

function fine(a: string, b: string): Segment[] {
  if (a.length + b.length > MAX_LENGTH) return coarse(a, b);
  const found = diffWordsWithSpace(a, b, { maxEditLength: MAX_EDITS });
  return found
    ? found.map(({ value, added, removed }) => ({
        kind: added ? 'added' : removed ? 'removed' : 'same',
        text: value,
      }))
    : coarse(a, b);
}

/**
 * What was removed stands before what was added in its place, whichever the comparison names first; runs are joined, also those
 * that only blanks keep apart, so that a phrase is replaced by a phrase and not word by word.
 */
function tidy(segments: readonly Segment[]): Segment[] {
  const tidied: Segment[] = [];
  let removed = '';
  let added = '';
  const flush = (): void => {
    if (removed !== '') tidied.push({ kind: 'removed', text: removed });
    if (added !== '') tidied.push({ kind: 'added', text: added });
    [removed, added] = ['', ''];
  };
  for (const [at, { kind, text }] of segments.entries()) {
    const joins = removed !== '' && added !== '' && text.trim() === '' && at < segments.length - 1;
    if (kind === 'removed' || (kind === 'same' && joins)) removed += text;
    if (kind === 'added' || (kind === 'same' && joins)) added += text;
    else if (kind === 'same' && text !== '') {
      flush();
      tidied.push({ kind, text });
    }
  }
  flush();
  return tidied;
}

const SWAPPED = { same: 'same', removed: 'added', added: 'removed' } as const;

/**
 * Two texts word by word. Segments that are not `added` give back the old text, those that are not `removed` the new one. Always
 * compared in one order, so that swapping the texts swaps the answer.
 */
export function diffWords(old: string, now: string): Segment[] {
  if (old <= now) return tidy(fine(old, now));
  return tidy(fine(now, old).map(({ kind, text }) => ({ kind: SWAPPED[kind], text })));
}

const wordCount = (text: string): number => text.match(/\S+/g)?.length ?? 0;

/** Where the `count`th word from the beginning ends. */
function afterWords(text: string, count: number): number {
  let at = 0;
  for (const match of text.matchAll(/\S+/g)) {
    at += 1;
    if (at === count) return match.index + match[0].length;
  }
  return text.length;
}

function fold(text: string, before: number, after: number): Piece[] {
  const words = wordCount(text) - before - after;
  const whole: Piece = { kind: 'same', text, words: 0 };
  if (words < LEAST_FOLDED) return [whole];
  const start = before === 0 ? 0 : afterWords(text, before);
  const end = after === 0 ? text.length : afterWords(text, before + words);
  const same = (part: string): Piece => ({ kind: 'same', text: part, words: 0 });
  const folded: Piece = { kind: 'folded', text: text.slice(start, end), words };
  return [same(text.slice(0, start)), folded, same(text.slice(end))].filter((piece) => piece.text !== '');
}

/** Long runs that both texts have are folded, but for a few words beside each difference. */
export function foldSame(segments: readonly Segment[]): Piece[] {
  return segments.flatMap(({ kind, text }, index): Piece[] => {
    if (kind !== 'same') return [{ kind, text, words: 0 }];
    const isLast = index === segments.length - 1;
    return fold(text, index === 0 ? 0 : CONTEXT, isLast ? 0 : CONTEXT);
  });
}
