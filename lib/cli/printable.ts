/** What would steer a terminal, or turn the direction of writing, and so show something else than what is recorded. */
// oxlint-disable-next-line eslint/no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  return NAMED[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What a cell of a table may hold. */
export type Cell = string | number | bigint | boolean | null | undefined;

/** A value from the database in one line that does no more to a terminal than being read. */
export function printable(value: Cell): string {
  if (value === null || value === undefined) return '';
  return String(value).replaceAll(CONTROL, escaped);
}

/** The same for a message, whose lines stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
