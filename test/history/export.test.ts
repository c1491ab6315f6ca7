import { PassThrough, Writable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { DataTypes, literal, Op, type WhereOptions } from 'sequelize';
import {
  createAuditLog,
  type AuditLog,
  type ExportOptions,
  type LogEntry,
  type LogEntryAttributes,
} from 'sequelize-auditlog';
import { boundedRead } from '../../lib/history/bounded-read';
import { exportEntries, type PageRead } from '../../lib/history/export';
import { entryWriter } from '../../lib/history/export-format';
import type { HistorySettings } from '../../lib/history/settings';
import { foundationOf } from '../../lib/audit-log';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';

const database = testDatabase({ pool: { max: 1 } });
const { sequelize } = database;
const Card = sequelize.define(
  'Card',
  { owner: DataTypes.TEXT, password: DataTypes.TEXT },
  { timestamps: false },
);
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Card);
const { LogEntry } = auditLog;
const settings: HistorySettings = foundationOf('test', auditLog).settings;

beforeAll(async () => {
  await openAudited(database, auditLog);
  await fill(2500);
  await addOddEntries();
});
afterAll(() => database.close());

/** Plain entries, `Bulk 1` to `Bulk n`. */
function fill(count: number, model = 'Bulk'): Promise<unknown> {
  return database.rows(
    `insert into audit_log_entries (action, model, object_pk, object_repr, changes, actor_id, remote_addr, remote_port, transaction_id)
     select 'update', $2, n::text, $2 || ' ' || n, jsonb_build_object('status', jsonb_build_array('pending', 'shipped'), 'n', jsonb_build_array(n, n + 1)),
       '7', '192.168.0.1', 443, n from generate_series(1, $1::int) n`,
    [count, model],
  );
}

const FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'];
const ODD = [
  '',
  'a"b',
  'a,b',
  'two\nlines',
  'CR\r\nLF',
  'Zoë 🚀',
  "'quoted",
  '\u2028',
  '\\n',
  ' padded ',
  '{}',
  'null',
  ...FORMULAS,
];

async function addOddEntries(): Promise<void> {
  const insert = `insert into audit_log_entries (action, model, object_pk, reason, changes, additional_data, remote_addr, timestamp)
    values ('note', 'Odd', $1, $1, $2, $3, $4, $5)`;
  for (const text of ODD)
    await database.rows(insert, [
      text,
      { [text]: [null, text] },
      { a: [1.5, true, { b: text }] },
      '::1',
      new Date(),
    ]);
  await database.rows(insert, [null, null, null, '10.0.0.0/8', '2026-11-21T21:17:26.123456+01:00']);
  const exact = '{"n": [12345678901234567890, 1.10]}';
  await database.rows(insert, ['exact', exact, null, 'fe80::1', '0999-01-01T00:00:00Z']);
}

class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.chunks.push(chunk);
    setImmediate(done);
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

async function exported(options: Omit<ExportOptions, 'to'>, log: AuditLog = auditLog): Promise<string> {
  const to = new Sink();
  await log.export({ ...options, to });
  expect(to.writableFinished).toBe(true);
  return to.text;
}

function lines(text: string): string[] {
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

function oldestFirst(where: WhereOptions<LogEntryAttributes> = {}): Promise<LogEntry[]> {
  return LogEntry.findAll({ where, order: [['id', 'ASC']] });
}

/** No connection of the pool is doing anything, or keeps a transaction open. */
async function expectIdle(): Promise<void> {
  const busy = `select state, query from pg_stat_activity
    where application_name = $1 and datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
  expect(await database.rows(busy, [database.schema])).toEqual([]);
  await sequelize.query('select 1');
}

describe('ndjson', () => {
  test('each line is the entry as JSON.stringify gives it, oldest first', async () => {
    const entries = await oldestFirst();
    const found = lines(await exported({ format: 'ndjson' }));
    expect(found.map((line) => JSON.stringify(JSON.parse(line)))).toEqual(
      entries.map((entry) => JSON.stringify(entry)),
    );
    expect(found).toHaveLength(2500 + ODD.length + 2);
  });

  test('numbers of documents come digit by digit as they are stored', async () => {
    const text = await exported({ format: 'ndjson', where: { objectPk: 'exact' } });
    expect(text).toContain('"changes":{"n": [12345678901234567890, 1.10]}');
  });

  test('no entry gives an empty file', async () => {
    const to = new Sink();
    const result = await auditLog.export({ format: 'ndjson', where: { model: 'None' }, to });
    expect(to.text).toBe('');
    expect(result).toMatchObject({ entries: 0, bytes: 0 });
  });
});

type Cell = { readonly value: string; readonly quoted: boolean };

/** A parser that tells the two empty cells apart, as PostgreSQL's COPY does. */
function records(text: string): Record<string, string | null>[] {
  const cells = parse(text, {
    cast: (value, { quoting }): Cell => ({ value, quoted: quoting }),
  }) as unknown as Cell[][];
  const [head = [], ...rows] = cells;
  return rows.map((row) =>
    Object.fromEntries(
      row.map(({ value, quoted }, at) => [head[at]!.value, value === '' && !quoted ? null : value]),
    ),
  );
}

function isFormula(text: string): boolean {
  return /^[=+\-@\t\r]/.test(text);
}

/** As docs/export.md says a value stands in a cell. */
function cellOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return isFormula(text) ? `'${text}` : text;
}

describe('csv', () => {
  test('a parser gives every value back: null apart from the empty text, times with microseconds, documents as JSON', async () => {
    const where = { model: 'Odd', objectPk: { [Op.or]: [{ [Op.ne]: 'exact' }, null] } };
    const entries = await oldestFirst(where);
    const found = records(await exported({ format: 'csv', where }));
    const compact = (text: string | null | undefined): string | null =>
      text ? JSON.stringify(JSON.parse(text)) : null;
    expect(
      found.map((each) => ({
        ...each,
        changes: compact(each['changes']),
        additionalData: compact(each['additionalData']),
      })),
    ).toEqual(
      entries.map((entry) =>
        Object.fromEntries(Object.entries(entry.toJSON()).map(([name, value]) => [name, cellOf(value)])),
      ),
    );
    expect(found.at(-1)).toMatchObject({
      objectPk: null,
      reason: null,
      timestamp: '2026-11-21T20:17:26.123456Z',
    });
  });

  test('the header names the attributes, also when there is no entry', async () => {
    const text = await exported({ format: 'csv', where: { model: 'None' } });
    expect(text).toBe(`${Object.keys(LogEntry.getAttributes()).join(',')}\n`);
  });

  test.each(FORMULAS)(
    'a cell that a spreadsheet would take for a formula gets an apostrophe: %j',
    async (text) => {
      const [found] = records(await exported({ format: 'csv', where: { model: 'Odd', reason: text } }));
      expect(found).toMatchObject({ reason: `'${text}`, objectPk: `'${text}` });
    },
  );

  test('every record is what csv-stringify makes of it, whatever is in its cells', () => {
    const parts = [
      ...ODD,
      '0',
      'x',
      '-',
      '＝',
      '＋1',
      '－',
      '＠a',
      '"',
      ',',
      '\r',
      '\u00A0',
      '\uFEFF',
      '中文',
      ';',
      '{"a": ["b", 1]}',
    ];
    const cells = [null, ...parts, ...parts.flatMap((a) => parts.map((b) => a + b))];
    const width = 7;
    const rows = Array.from({ length: Math.floor(cells.length / width) }, (_, n) =>
      cells.slice(n * width, n * width + width),
    );
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    const page = entryWriter('csv', null).page({ text, entries: rows.length });
    expect(page.text).toBe(stringify(rows as unknown[][], { escape_formulas: true, quoted_match: /^$/ }));
    expect(page.entries).toBe(rows.length);
  });

  test('numbers of documents come digit by digit as they are stored', async () => {
    const [found] = records(await exported({ format: 'csv', where: { objectPk: 'exact' } }));
    expect(found!['changes']).toBe('{"n": [12345678901234567890, 1.10]}');
  });
});

describe('what is exported', () => {
  test('a condition chooses entries and never widens a page', async () => {
    const where = {
      [Op.or]: [
        { model: 'Bulk', objectPk: ['3', '2400'] },
        literal(`"object_pk" = '9' or "object_pk" = '10'`),
      ],
    };
    const found = lines(await exported({ format: 'ndjson', where }));
    expect(found.map((line) => (JSON.parse(line) as { objectPk: string }).objectPk)).toEqual([
      '3',
      '9',
      '10',
      '2400',
    ]);
  });

  test('fault 49: a masked value is not in it', async () => {
    await Card.create({ owner: 'ann', password: 'hunter2' });
    const text = await exported({ format: 'ndjson', where: { model: 'Card' } });
    expect(text).toContain('"ann"');
    expect(text).not.toContain('hunter2');
  });

  test('entries that come while it is written are left out, and nobody waits for anybody', async () => {
    const writer = database.newClient();
    await writer.connect();
    await writer.query('begin');
    await writer.query(`insert into audit_log_entries (action, model) values ('note', 'Open')`);
    const to = new Sink();
    const where = { model: ['Bulk', 'Late', 'Open'] };
    const late = async (): Promise<void> => void (await fill(1, 'Late'));
    await auditLog.export({ format: 'ndjson', where, to, onProgress: late });
    await writer.query('commit');
    const models = lines(to.text).map((line) => (JSON.parse(line) as { model: string }).model);
    expect([models.length, ...new Set(models)]).toEqual([2500, 'Bulk']);
    await database.rows(`delete from audit_log_entries where model in ('Late', 'Open')`);
  });

  test('inside auditLog.asOf it reads the log as it is', async () => {
    const where = { objectPk: '1', model: 'Bulk' };
    const wide = database.createSequelize({ pool: { max: 2 } });
    const log = createAuditLog(wide);
    expect(lines(await log.asOf(new Date(), () => exported({ format: 'ndjson', where }, log)))).toHaveLength(
      1,
    );
  });

  test('identifiers may be unquoted', async () => {
    const plain = createAuditLog(database.createSequelize({ quoteIdentifiers: false, pool: { max: 1 } }));
    expect(lines(await exported({ format: 'ndjson', where: { model: 'Bulk' } }, plain))).toHaveLength(2500);
  });
});

describe('how it is written', () => {
  test('the result counts entries and bytes, and has their digest', async () => {
    const to = new Sink();
    const result = await auditLog.export({ format: 'csv', where: { model: 'Odd' }, to });
    const { createHash } = await import('node:crypto');
    const bytes = Buffer.concat(to.chunks);
    expect(result).toEqual({
      entries: ODD.length + 2,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  test('a slow stream is waited for, with no connection held and one page in its buffer', async () => {
    const waiting: (() => void)[] = [];
    let longest = 0;
    const to = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        longest = Math.max(longest, waiting.push(done));
      },
    });
    const running = auditLog.export({ format: 'ndjson', where: { model: 'Bulk' }, to });
    let pages = 0;
    while (!to.writableFinished) {
      if (waiting.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      // The only connection of the pool is free.
      await sequelize.query('select 1');
      await expectIdle();
      pages += 1;
      waiting.shift()!();
    }
    expect(await running).toMatchObject({ entries: 2500 });
    expect(pages).toBeGreaterThan(2);
    expect(longest).toBe(1);
  });

  test('large documents make short pages', async () => {
    const big = `insert into audit_log_entries (action, model, changes)
      select 'note', 'Big', jsonb_build_object('text', (select string_agg(md5(n || ' ' || m), '') from generate_series(1, 12000) m)) from generate_series(1, 12) n`;
    await database.rows(big);
    const to = new Sink();
    expect(await auditLog.export({ format: 'ndjson', where: { model: 'Big' }, to })).toMatchObject({
      entries: 12,
    });
    expect(Math.max(...to.chunks.map((chunk) => chunk.length))).toBeLessThan(2 * 1024 * 1024);
    expect(lines(to.text)).toHaveLength(12);
    await database.rows(`delete from audit_log_entries where model = 'Big'`);
  });

  test('it ends the stream, unless it is to stay open or a standard stream of the process', async () => {
    const to = new Sink();
    const options = { format: 'ndjson', where: { model: 'Bulk', objectPk: '1' }, to, end: false } as const;
    await auditLog.export(options);
    await auditLog.export(options);
    expect(to.writableEnded).toBe(false);
    expect(to.listenerCount('error')).toBe(0);
    expect(lines(to.text)).toHaveLength(2);
    await auditLog.export({ format: 'ndjson', where: { model: 'None' }, to: process.stdout });
    expect(process.stdout.writableEnded).toBe(false);
  });

  test('progress is told after every page, awaited, and may end it', async () => {
    const told: number[] = [];
    const onProgress = async ({ entries }: { entries: number }): Promise<void> => {
      told.push(entries);
      if (entries > 1000) throw new Error('enough');
    };
    const to = new Sink();
    await expect(
      auditLog.export({ format: 'csv', where: { model: 'Bulk' }, to, onProgress }),
    ).rejects.toThrow('enough');
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-2)).toBeLessThanOrEqual(1000);
    expect(to.destroyed).toBe(true);
    await expectIdle();
  });

  test.each([
    [{ format: 'xml', to: new PassThrough() }, 'format'],
    [{ format: 'csv' }, '"to" must be a writable stream'],
    [{ format: 'csv', to: 'file.csv' }, '"to" must be a writable stream'],
    [{ format: 'csv', to: new PassThrough(), where: 'x' }, 'where'],
    [{ format: 'csv', to: new PassThrough(), end: 1 }, 'end'],
    [{ format: 'csv', to: new PassThrough(), onProgress: 1 }, 'onProgress'],
    [{ format: 'csv', to: new PassThrough(), onProgres: 1 }, 'Did you mean "onProgress"?'],
    [undefined, 'options'],
  ])('options are checked: %#', async (options, text) => {
    const error = await refusalOf(() => auditLog.export(options as never));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toContain(text);
  });
});

describe('fault 84: what breaks off', () => {
  /** A stream to which something happens while its first page is written. */
  function breaking(happens: (to: Writable, done: (error?: Error) => void) => void): Writable {
    return new Writable({
      write(_chunk, _encoding, done) {
        happens(this, done);
      },
    }).on('error', () => undefined);
  }

  test.each<[string, (to: Writable, done: (error?: Error) => void) => void, RegExp]>([
    ['is destroyed', (to) => to.destroy(), /premature|destroyed/i],
    ['is destroyed with an error', (to) => to.destroy(new Error('gone')), /gone/],
    ['fails', (_, done) => done(new Error('disk full')), /disk full/],
  ])('a stream that %s ends the reading at once', async (_, happens, cause) => {
    const to = breaking(happens);
    let error: unknown;
    const sent = await loggedBy(sequelize, async () => {
      error = await refusalOf(() => auditLog.export({ format: 'ndjson', where: { model: 'Bulk' }, to }));
    });
    expect(error).toMatchObject({
      code: 'ERR_AUDIT_EXPORT_FAILED',
      cause: { message: expect.stringMatching(cause) },
    });
    // The newest id, the page that was written, and the one that was read ahead.
    expect(sent).toHaveLength(3);
    await expectIdle();
  });

  test('a stream that somebody else ends meanwhile, or that was closed before, is a failure', async () => {
    const to = new Sink();
    const run = { format: 'ndjson', where: { model: 'Bulk' }, to } as const;
    const error = await refusalOf(() => auditLog.export({ ...run, onProgress: () => void to.end() }));
    expect(error.code).toBe('ERR_AUDIT_EXPORT_FAILED');
    const sent = await loggedBy(sequelize, () => refusalOf(() => auditLog.export({ format: 'csv', to })));
    expect(sent).toEqual([]);
  });

  test('an error of the database breaks the stream off rather than ending it', async () => {
    const rename = async (from: string, to: string): Promise<void> =>
      void (await database.rows(`alter table ${from} rename to ${to}`));
    const fails = async (to: Sink, end: boolean): Promise<void> => {
      const hide = async ({ entries }: { entries: number }): Promise<void> => {
        if (entries === 1000) await rename('audit_log_entries', 'gone');
      };
      const run = auditLog.export({ format: 'ndjson', to, end, onProgress: hide });
      await expect(run).rejects.toThrow(`The table "audit_log_entries" doesn't exist`);
      await rename('gone', 'audit_log_entries');
    };
    const to = new Sink();
    await fails(to, true);
    expect([to.destroyed, to.writableFinished]).toEqual([true, false]);
    expect(to.chunks.length).toBeGreaterThan(0);
    const open = new Sink();
    await fails(open, false);
    expect(open.destroyed).toBe(false);
    await expectIdle();
  });

  test('a log that is not there is a coded error', async () => {
    const nowhere = createAuditLog(database.createSequelize(), { tableName: 'nowhere' });
    const error = await refusalOf(() => nowhere.export({ format: 'csv', to: new Sink() }));
    expect(error.code).toBe('ERR_AUDIT_MISSING_TABLE');
  });
});

describe('exportEntries, as the web entry uses it', () => {
  test('each entry passes a function that may change it or leave it out', async () => {
    const map = (entry: { objectPk: string | null }) =>
      entry.objectPk === '2' ? null : { ...entry, changes: null, hidden: Number(entry.objectPk) };
    const options = {
      where: { model: 'Bulk', objectPk: ['1', '2', '3'] },
      map: map as never,
      added: ['hidden'],
    };
    const [ndjson, csv] = [new Sink(), new Sink()];
    expect(await exportEntries(settings, { ...options, format: 'ndjson', to: ndjson })).toMatchObject({
      entries: 2,
    });
    expect(lines(ndjson.text).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { objectPk: '1', changes: null, hidden: 1 },
      { objectPk: '3', changes: null, hidden: 3 },
    ]);
    expect(await exportEntries(settings, { ...options, format: 'csv', to: csv })).toMatchObject({
      entries: 2,
    });
    expect(records(csv.text)).toMatchObject([
      { objectPk: '1', changes: null, hidden: '1' },
      { objectPk: '3', hidden: '3' },
    ]);
  });

  test('a signal stops it', async () => {
    const stop = new AbortController();
    const to = new Sink();
    const onProgress = (): void => stop.abort(new Error('left'));
    const error = await refusalOf(() =>
      exportEntries(settings, { format: 'csv', to, signal: stop.signal, onProgress }),
    );
    expect(error).toMatchObject({ code: 'ERR_AUDIT_EXPORT_FAILED', cause: { message: 'left' } });
    expect(to.destroyed).toBe(true);
    await expectIdle();
  });

  test('a page that takes too long is ended by PostgreSQL', async () => {
    const where = literal('pg_sleep(10) is not null') as never;
    const to = new Sink();
    const read: PageRead = (work) => boundedRead(sequelize, 20, work);
    const run = exportEntries(settings, { format: 'csv', to, where, read });
    await expect(run).rejects.toThrow('statement timeout');
    await expectIdle();
  });
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const MB = 1024 * 1024;
const FULL = process.env['FULL'] === '1';

describe('memory', () => {
  const ROWS = FULL ? 1_000_000 : 20_000;
  beforeAll(() => fill(ROWS, 'Many'), 120_000);

  /** What is held after each page, above what was held before. */
  test.each(['ndjson', 'csv'] as const)(
    'fault 84: %s holds a few pages, however many entries there are',
    async (format) => {
      collectGarbage();
      const before = process.memoryUsage();
      let [held, highest] = [0, 0];
      const onProgress = async ({ entries }: { entries: number }): Promise<void> => {
        highest = Math.max(highest, process.memoryUsage().heapUsed - before.heapUsed);
        if (entries % (FULL ? 50_000 : 10_000) !== 0) return;
        // The memory of buffers is given back behind the collection that finds them.
        collectGarbage();
        await new Promise((resolve) => setImmediate(resolve));
        collectGarbage();
        const now = process.memoryUsage();
        held = Math.max(held, now.heapUsed + now.external - before.heapUsed - before.external);
      };
      const to = new PassThrough().resume();
      const started = Date.now();
      const { entries } = await auditLog.export({ format, where: { model: 'Many' }, to, onProgress });
      if (FULL) {
        const rate = Math.round((entries / (Date.now() - started)) * 1000);
        process.stderr.write(
          `${format}: ${rate} entries/s, held ${(held / MB).toFixed(1)} MB, heap +${(highest / MB).toFixed(1)} MB\n`,
        );
      }
      expect(entries).toBe(ROWS);
      expect(held).toBeLessThan(8 * MB);
      expect(highest).toBeLessThan(50 * MB);
    },
    300_000,
  );
});
