import type { ParsedWrite } from '../statement/parse-write';
import { namesIn } from '../statement/parse-write';
import { nameOf, Scanner } from '../statement/scanner';

/** The texts that errors point into. */
const texts = new WeakMap<Error, string>();

/** Remembers the text that an error of the server points into. */
export function failedIn<E extends Error>(text: string, error: E): E {
  texts.set(error, text);
  return error;
}

/** Where an error points to in a statement that holds the application's write. */
export interface ErrorPlace {
  /** What the statement says up to there. */
  readonly before: string;
  /** The parts of the name that stands there, none where it is no name. */
  readonly names: readonly string[];
}

/** The place an error points to; null where it points to none. PostgreSQL counts characters, JavaScript their halves. */
export function placeOf(error: Error & { position?: string }): ErrorPlace | null {
  const text = texts.get(error);
  if (text === undefined || error.position === undefined) return null;
  const characters = Array.from(text);
  const at = Number(error.position) - 1;
  return { before: characters.slice(0, at).join(''), names: namesAt(characters.slice(at).join('')) };
}

/** `a.b.c` at the beginning of a text. */
function namesAt(text: string): string[] {
  const scanner = new Scanner(text);
  const names: string[] = [];
  for (let token = scanner.next(); token; token = scanner.next()) {
    if (token.kind === 'name' || token.kind === 'word') names.push(nameOf(text, token));
    else return names;
    const dot = scanner.next();
    if (!dot || text.slice(dot.start, dot.end) !== '.') return names;
  }
  return names;
}

/** What follows the rows of a compiled statement is all of this library's making. */
const BEHIND_ROWS = /"!(?:t|d\w*)" as materialized/;

export function isBehindRows({ before }: ErrorPlace): boolean {
  return BEHIND_ROWS.test(before);
}

/** Whether the plain write doesn't hold the name that an error points to. */
export function isForeign(place: ErrorPlace, { body, returning }: ParsedWrite): boolean {
  const name = place.names.at(-1);
  if (name === undefined) return false;
  if (isBehindRows(place) || place.names.some((each) => each.startsWith('!'))) return true;
  return !namesIn(body).has(name) && !(Array.isArray(returning) && returning.includes(name));
}
