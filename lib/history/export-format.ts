import type * as CsvStringify from 'csv-stringify/sync';
import { lazily } from '../core/lazily';
import type { LogEntryJson } from '../schema/log-entry';
import { LOG_COLUMNS } from '../schema/log-table';

const csv = lazily(() => require('csv-stringify/sync') as typeof CsvStringify);

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The JSON text of an array of texts, in the order of the log's columns: numbers and documents as they are stored. */
export type EntryTexts = string;

/** Changes or leaves out (null) an entry on its way; what it adds stands under names of its own. */
export type EntryMap = (entry: LogEntryJson) => LogEntryJson | null;

/** How one format is written. */
export interface EntryWriter {
  /** What stands before the first entry. */
  readonly head: string;
  /** The text of entries, and how many they are. Each is taken apart when it is its turn, so that little is held at a time. */
  readonly page: (entries: readonly EntryTexts[]) => { readonly text: string; readonly entries: number };
}

const ID_AT = LOG_COLUMNS.findIndex(({ attribute }) => attribute === 'id');
const NAMES = LOG_COLUMNS.map(({ attribute }) => attribute);
const MEMBERS = LOG_COLUMNS.map(({ attribute, type }, at) => ({
  start: `${at === 0 ? '{' : ','}"${attribute}":`,
  isJson: type === 'jsonb' || type === 'integer',
}));

function partsOf(texts: EntryTexts): (string | null)[] {
  return JSON.parse(texts) as (string | null)[];
}

/** The id of an entry. */
export function idOf(texts: EntryTexts): string {
  return partsOf(texts)[ID_AT]!;
}

/** The one place that decides how an entry becomes JSON: what `JSON.stringify(entry)` gives, without the way through values. */
function jsonText(texts: EntryTexts): string {
  const parts = partsOf(texts);
  let json = '';
  MEMBERS.forEach(({ start, isJson }, at) => {
    const text = parts[at] ?? null;
    json += start + (isJson && text !== null ? text : JSON.stringify(text));
  });
  return `${json}}`;
}

function mapped(texts: EntryTexts, map: EntryMap): LogEntryJson | null {
  return map(JSON.parse(jsonText(texts)) as LogEntryJson);
}

function ndjsonWriter(map: EntryMap | null): EntryWriter {
  const lineOf = (texts: EntryTexts): string | null => {
    if (!map) return jsonText(texts);
    const entry = mapped(texts, map);
    return entry && JSON.stringify(entry);
  };
  return {
    head: '',
    page: (page) => {
      let [text, entries] = ['', 0];
      for (const texts of page) {
        const line = lineOf(texts);
        if (line === null) continue;
        text += `${line}\n`;
        entries += 1;
      }
      return { text, entries };
    },
  };
}

/**
 * As PostgreSQL's own CSV: null is nothing, the empty text is `""`. Times and documents are texts already; what `map` gives
 * is JSON, never a Date.
 */
const CSV_OPTIONS: CsvStringify.Options = {
  escape_formulas: true,
  quoted_match: /^$/,
  cast: { boolean: String, object: (value) => JSON.stringify(value) },
};

/** It takes whatever can be iterated; its declarations say arrays only. */
function csvText(records: Iterable<readonly unknown[]>): string {
  return csv().stringify(records as unknown[][], CSV_OPTIONS);
}

function csvWriter(map: EntryMap | null, added: readonly string[]): EntryWriter {
  const names = [...NAMES, ...added];
  const recordOf = (texts: EntryTexts): unknown[] | null => {
    if (!map) return partsOf(texts);
    const entry = mapped(texts, map);
    return entry && names.map((name) => entry[name as keyof LogEntryJson]);
  };
  return {
    head: csvText([names]),
    page: (page) => {
      let entries = 0;
      const records = function* (): Generator<readonly unknown[]> {
        for (const texts of page) {
          const record = recordOf(texts);
          if (record === null) continue;
          yield record;
          entries += 1;
        }
      };
      const text = csvText(records());
      return { text, entries };
    },
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
