import { FilterBuilder, type Choice, type ChoiceKey, type EntryFilter } from './entry-filter';
import { spanOf, spanTexts } from './time';
import { checkedValue, textProblem } from './values';

/** The words before the colon, and what they narrow. */
const KEYS: ReadonlyMap<string, ChoiceKey | 'at'> = new Map([
  ['actor', 'actor'],
  ['model', 'model'],
  ['pk', 'pk'],
  ['field', 'field'],
  ['action', 'action'],
  ['at', 'at'],
  ['ip', 'ip'],
  ['req', 'correlationId'],
  ['tx', 'transactionId'],
  ['reason', 'reason'],
]);

/** Longer than any search that a person writes, and as many comparisons as a query should have. */
const MAX_LENGTH = 4000;

/** `"…"` with `\"` and `\\`, to the end of the text where it isn't closed. */
const QUOTED = String.raw`"(?:[^"\\]|\\.)*(?:"|\\?$)`;
/** A composite key as it stands in an entry. None holds another bracket, so that a row of them is not read again from each. */
const ARRAY = String.raw`\[(?:"(?:[^"\\]|\\.)*"|[^[\]"\s])*\]`;
const ITEM = String.raw`(?:${QUOTED}|${ARRAY}|[^\s,]+)`;
const TOKEN = new RegExp(
  String.raw`\s*(-?)(?:(${[...KEYS.keys()].join('|')}):(,*(?:${ITEM}(?:,+${ITEM})*,*)?)|(${QUOTED}|\S+))`,
  'gisy',
);

interface Token {
  readonly isNegated: boolean;
  /** Null for free text. */
  readonly key: string | null;
  readonly values: readonly string[];
}

const WHOLE_QUOTED = new RegExp(String.raw`^"((?:[^"\\]|\\.)*)(?:"|\\?)$`, 's');

const WHOLE_ARRAY = new RegExp(`^${ARRAY}$`, 's');

function unquoted(item: string): string {
  const inside = WHOLE_QUOTED.exec(item)?.[1];
  return inside === undefined ? item : inside.replaceAll(/\\(.)/gs, '$1');
}

const LIST_ITEM = new RegExp(ITEM, 'gs');
/** In a parameter of its own a value may hold blanks. */
const PARAMETER_ITEM = new RegExp(String.raw`\s*(?:${QUOTED}|${ARRAY}|[^,]+)`, 'gs');

const itemsOf = (pattern: RegExp, list: string): string[] =>
  [...list.matchAll(pattern)].map(([item]) => unquoted(item.trim())).filter((item) => item !== '');

/** The values of a parameter, apart at commas. */
export function parameterItems(text: string): string[] {
  return itemsOf(PARAMETER_ITEM, text);
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map(([, minus, key, list, free]) => ({
    isNegated: minus === '-',
    key: key?.toLowerCase() ?? null,
    values: free === undefined ? itemsOf(LIST_ITEM, list ?? '') : [unquoted(free)],
  }));
}

function readTimes({ isNegated, values }: Token, zone: string, builder: FilterBuilder): void {
  if (isNegated) builder.problems.push('"-at:" can\'t be read: give the other side of the time instead.');
  for (const value of isNegated ? [] : values) {
    const { since, until } = spanOf(value, zone) ?? {};
    if (since) builder.addBound('since', since);
    if (until) builder.addBound('until', until);
    if (!since && !until) builder.problems.push(timeProblem('at', value));
  }
}

/** What a time that can't be read should look like. */
export function timeProblem(name: string, value: string): string {
  return `${name} must be a day such as 2026-11-21, a time such as 2026-11-21T20:17 or with Z at its end, or a span before now such as 7d; got "${value.slice(0, 60)}".`;
}

/** One value under its key, checked. */
export function readValue(builder: FilterBuilder, key: ChoiceKey, text: string, isNegated = false): void {
  const checked = checkedValue(key, text);
  if ('problem' in checked) builder.problems.push(checked.problem);
  else builder.add(key, checked.value, isNegated);
}

function readText({ isNegated, values }: Token, builder: FilterBuilder): void {
  for (const value of values.filter((each) => each !== '')) {
    const problem = textProblem(value);
    if (problem === null) builder.addText(value, isNegated);
    else builder.problems.push(`The free text ${problem}.`);
  }
}

function readToken(token: Token, zone: string, builder: FilterBuilder): void {
  if (token.key === null) return readText(token, builder);
  const key = KEYS.get(token.key)!;
  if (token.values.length === 0) builder.problems.push(`"${token.key}:" has no value.`);
  if (key === 'at') return readTimes(token, zone, builder);
  for (const value of token.values) readValue(builder, key, value, token.isNegated);
}

/** Adds what a search says to a filter. */
export function readSearch(builder: FilterBuilder, text: string, zone: string): void {
  if (text.length > MAX_LENGTH) builder.problems.push(`The search is longer than ${MAX_LENGTH} characters.`);
  else for (const token of tokensOf(text)) readToken(token, zone, builder);
}

/**
 * Reads a search: `key:value`, `-key:value`, `key:a,b`, `key:"a b"`, `at:` with days, times and ranges; everything else is free
 * text. Whatever is written, it never throws.
 *
 * @example
 * parseSearch('actor:price-import field:price at:>=2026-11-01', 'Europe/Zurich');
 */
export function parseSearch(
  text: string,
  zone: string,
): { filter: EntryFilter; problems: readonly string[] } {
  const builder = new FilterBuilder();
  readSearch(builder, text, zone);
  return { filter: builder.build(), problems: builder.problems };
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A value as it is where `pattern` reads it as itself, else in quotes. */
function formatItem(pattern: RegExp, value: string): string {
  // What follows could close a bracket that stands open.
  if (value.startsWith('[') && !WHOLE_ARRAY.test(value)) return quoted(value);
  const [first, ...more] = itemsOf(pattern, value);
  return first === value && more.length === 0 ? value : quoted(value);
}

/** The text that `parameterItems` reads as this one value. */
export function parameterText(value: string): string {
  return formatItem(PARAMETER_ITEM, value);
}

function formatText(text: string): string {
  const [token, ...more] = tokensOf(text);
  const isItself = token?.key === null && !token.isNegated && token.values[0] === text;
  return isItself && more.length === 0 ? text : quoted(text);
}

function formatChoice(word: string, { any, none }: Choice): string[] {
  const list = (values: readonly string[]): string =>
    values.map((value) => formatItem(LIST_ITEM, value)).join(',');
  return [
    ...(any.length > 0 ? [`${word}:${list(any)}`] : []),
    ...(none.length > 0 ? [`-${word}:${list(none)}`] : []),
  ];
}

/** The search that reads as this filter, in one form. */
export function formatSearch(filter: EntryFilter): string {
  const words = [...KEYS].flatMap(([word, key]) => {
    if (key === 'at') return spanTexts(filter).map((each) => `at:${each}`);
    return filter[key] ? formatChoice(word, filter[key]) : [];
  });
  const { all = [], none = [] } = filter.text ?? {};
  return [...words, ...all.map(formatText), ...none.map((text) => `-${formatText(text)}`)].join(' ');
}
