import type * as CsvStringify from 'csv-stringify/sync';
import { lazily } from '../core/lazily';
import type { LogEntryJson } from '../schema/log-entry';
import { LOG_COLUMNS } from '../schema/log-table';
import { entryCells, entryLine } from '../statement/entry-texts';
import type { TextPage } from './entry-pages';

const csv = lazily(() => require('csv-stringify/sync') as typeof CsvStringify);

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Changes or leaves out (null) an entry on its way; what it adds stands under names of its own. */
export type EntryMap = (entry: LogEntryJson) => LogEntryJson | null;

/** How one format is written. */
export interface EntryWriter {
  /** SQL: what is read of an entry. */
  readonly text: string;
  /** What stands before the first entry. */
  readonly head: string;
  /** The text of entries, and how many they are. */
  readonly page: (page: TextPage) => TextPage;
}

/** The lines of a page, each taken when it is its turn. */
function* linesOf({ text }: TextPage): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end);
    start = end + 1;
  }
}

/** What `map` makes of the entries of a page. */
function* mapped(page: TextPage, map: EntryMap): Generator<LogEntryJson> {
  for (const line of linesOf(page)) {
    const entry = map(JSON.parse(line) as LogEntryJson);
    if (entry !== null) yield entry;
  }
}

function ndjsonWriter(map: EntryMap | null): EntryWriter {
  // PostgreSQL has written it.
  if (!map) return { text: entryLine(), head: '', page: (page) => page };
  return {
    text: entryLine(),
    head: '',
    page: (page) => {
      const lines = Array.from(mapped(page, map), (entry) => `${JSON.stringify(entry)}\n`);
      return { text: lines.join(''), entries: lines.length };
    },
  };
}

const NAMES = LOG_COLUMNS.map(({ attribute }) => attribute);

/**
 * As PostgreSQL's own CSV: null is nothing, the empty text is `""`. Times and documents are texts already; what `map` gives
 * is JSON, never a Date.
 */
const CSV_OPTIONS: CsvStringify.Options = {
  escape_formulas: true,
  quoted_match: /^$/,
  cast: { boolean: String, object: (value) => JSON.stringify(value) },
};

/** PostgreSQL keeps no text with this character, and JSON escapes it. */
const NOWHERE = '\0';
/** With another delimiter a comma would not be quoted by itself. */
const CELL_OPTIONS: CsvStringify.Options = { ...CSV_OPTIONS, delimiter: NOWHERE, quoted_match: [/^$/, ','] };

/** Each cell as csv-stringify writes it in a record of its own kind; one call for all, as a call costs more than a cell. */
function cellTexts(cells: readonly unknown[]): string[] {
  if (cells.length === 0) return [];
  return csv()
    .stringify([[...cells]], CELL_OPTIONS)
    .slice(0, -1)
    .split(NOWHERE);
}

/** What every CSV writes as it is: it begins with no sign of a formula and holds nothing that is quoted. */
const PLAIN = /^[\p{L}\p{N}_/][^\p{Cc}",]*$/u;

function isPlain(cell: unknown): boolean {
  return cell === null || (typeof cell === 'string' && PLAIN.test(cell));
}

/** Most cells are plain, and csv-stringify would take five times as long to find that out. */
function csvText(records: readonly (readonly unknown[])[]): string {
  const texts = cellTexts(records.flatMap((record) => record.filter((cell) => !isPlain(cell))));
  let at = 0;
  const textOf = (cell: unknown): string => (isPlain(cell) ? ((cell as string | null) ?? '') : texts[at++]!);
  return records.map((record) => `${record.map(textOf).join(',')}\n`).join('');
}

/** Records at a time, so that little is held. */
const SLICE = 50;

/** The CSV of records, and how many they are. */
function csvPage(records: Iterable<readonly unknown[]>): TextPage {
  let [text, entries, slice]: [string, number, (readonly unknown[])[]] = ['', 0, []];
  for (const record of records) {
    entries += 1;
    if (slice.push(record) < SLICE) continue;
    text += csvText(slice);
    slice = [];
  }
  return { text: text + csvText(slice), entries };
}

function csvWriter(map: EntryMap | null, added: readonly string[]): EntryWriter {
  const names = [...NAMES, ...added];
  function* recordsOf(page: TextPage): Generator<readonly unknown[]> {
    if (!map) for (const line of linesOf(page)) yield JSON.parse(line) as (string | null)[];
    else for (const entry of mapped(page, map)) yield names.map((name) => entry[name as keyof LogEntryJson]);
  }
  return {
    text: map ? entryLine() : entryCells(),
    head: csvText([names]),
    page: (page) => csvPage(recordsOf(page)),
  };
}

/** `added` names what `map` adds to an entry, as further columns of CSV. */
export function entryWriter(
  format: ExportFormat,
  map: EntryMap | null,
  added: readonly string[] = [],
): EntryWriter {
  return format === 'csv' ? csvWriter(map, added) : ndjsonWriter(map);
}
