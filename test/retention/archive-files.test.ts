import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ArchivedFile, ArchiveHeader, ArchivePart } from '../../lib/retention/archive-manifest';
import { linesOf, openArchive, rowsOf } from '../../lib/retention/archive-reader';
import { ArchiveWriter, finishedArchive } from '../../lib/retention/archive-writer';
import { refusalOf } from '../support/audited';

const HEADER: ArchiveHeader = {
  log: 'shop: "audit_log_entries"',
  olderThan: '2025-11-22T00:00:00.000000Z',
  request: { olderThan: '365d', models: 'all', keepLast: '0' },
};
const ENTRIES: ArchivePart = { kind: 'entries', model: 'Order', table: '"audit_log_entries"' };
const VERSIONS: ArchivePart = {
  kind: 'versions',
  model: 'shop/Order Ünïcode',
  table: '"orders_history"',
  keys: ['id'],
  columns: [{ name: 'id', type: 'integer' }],
};

let root: string;
let whole: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'archive-'));
  whole = join(root, 'whole');
  const writer = await ArchiveWriter.begin(whole, HEADER);
  await writer.add(ENTRIES, [1, 2, 12, 3].map(entryLine));
  await writer.add(VERSIONS, [7, 8].map(versionLine));
  await writer.finish();
});
afterAll(() => rm(root, { recursive: true }));

function timeOf(n: number): string {
  return `2024-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;
}

function entryLine(n: number): string {
  return `{"id":"${n}","timestamp":"${timeOf(n)}","action":"update","objectRepr":"Zoë \u2028 🚀"}`;
}

function versionLine(n: number): string {
  return `{"historyId":"${n}","historyDate":"${timeOf(n)}","columns":{"id" : "1"}}`;
}

async function copyOf(folder: string): Promise<string> {
  const copy = await mkdtemp(join(root, 'copy-'));
  await cp(folder, copy, { recursive: true });
  return copy;
}

async function listed<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

describe('a whole archive', () => {
  test('gives back every line and id, and says what is in each file', async () => {
    const archive = await openArchive(whole);
    const [entries, versions] = archive.manifest.files;
    expect(await listed(linesOf(archive, entries!))).toEqual([1, 2, 12, 3].map(entryLine));
    const ids = async (file: ArchivedFile): Promise<string[]> =>
      (await listed(rowsOf(archive, file))).map(({ id }) => id);
    expect(await ids(entries!)).toEqual(['1', '2', '12', '3']);
    expect(await ids(versions!)).toEqual(['7', '8']);
    expect(entries).toMatchObject({ ...ENTRIES, count: 4, firstId: '1', lastId: '12' });
    expect(entries).toMatchObject({ firstTime: timeOf(1), lastTime: timeOf(12) });
    expect(versions).toMatchObject({ ...VERSIONS, name: '0002-versions-shop-Order-n-code.ndjson.gz' });
    expect(archive.manifest).toMatchObject({ ...HEADER, version: expect.stringMatching(/^\d+\./) });
  });

  test('is plain gzip of lines, with nothing else in the folder', async () => {
    const text = gunzipSync(await readFile(join(whole, '0001-entries-Order.ndjson.gz'))).toString();
    expect(text).toBe([1, 2, 12, 3].map((n) => `${entryLine(n)}\n`).join(''));
    expect((await readdir(whole)).toSorted()).toEqual([
      '0001-entries-Order.ndjson.gz',
      '0002-versions-shop-Order-n-code.ndjson.gz',
      'manifest.json',
    ]);
  });

  test('is gone on with by the same request, whatever time an age means by then', async () => {
    const later = { ...HEADER, olderThan: '2025-11-23T00:00:00.000000Z' };
    expect((await finishedArchive(whole, later))?.manifest.olderThan).toBe(HEADER.olderThan);
  });

  test.each([
    [{ ...HEADER, request: { ...HEADER.request, keepLast: '3' } }, 'keepLast is 0, expected 3'],
    [{ ...HEADER, request: { olderThan: '365d', keepLast: '0' } }, 'models is all, expected not given'],
    [{ ...HEADER, log: 'other: "audit_log_entries"' }, 'log is shop: '],
  ])('is not gone on with by another one: %#', async (header, text) => {
    const error = await refusalOf(() => finishedArchive(whole, header));
    expect(error.code).toBe('ERR_AUDIT_ARCHIVE');
    expect(error.message).toContain(text);
  });

  test('is written over by nobody', async () => {
    const error = await refusalOf(() => ArchiveWriter.begin(whole, HEADER));
    expect(error.message).toContain('manifest.json');
  });

  test('may hold nothing', async () => {
    const folder = join(root, 'nothing');
    await (await ArchiveWriter.begin(folder, HEADER)).finish();
    expect((await openArchive(folder)).manifest.files).toEqual([]);
  });

  test('is split into files of a size, also within one call', async () => {
    const writer = await ArchiveWriter.begin(join(root, 'split'), HEADER, 10);
    const lines = Array.from({ length: 25 }, (_, n) => entryLine(n));
    await writer.add(ENTRIES, lines.slice(0, 4));
    await writer.add(ENTRIES, lines.slice(4));
    const archive = await writer.finish();
    expect(archive.manifest.files.map(({ count, firstId, lastId }) => [count, firstId, lastId])).toEqual([
      [10, '0', '9'],
      [10, '10', '19'],
      [5, '20', '24'],
    ]);
    expect(await listed(linesOf(archive, archive.manifest.files[1]!))).toEqual(lines.slice(10, 20));
  });

  test('gives back a line of any length', async () => {
    const folder = join(root, 'long');
    const writer = await ArchiveWriter.begin(folder, HEADER);
    const long = `{"id":"1","timestamp":"${timeOf(1)}","reason":"${'ä'.repeat(3_000_000)}"}`;
    await writer.add(ENTRIES, [long, entryLine(2)]);
    const archive = await writer.finish();
    expect(await listed(linesOf(archive, archive.manifest.files[0]!))).toEqual([long, entryLine(2)]);
  });
});

const FILES = ['0001-entries-Order.ndjson.gz', '0002-versions-shop-Order-n-code.ndjson.gz', 'manifest.json'];

type Damage = (file: string) => Promise<unknown>;

async function flipByte(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  const at = Math.floor((await handle.stat()).size / 2);
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, at);
  await handle.close();
}

const DAMAGES: [string, Damage][] = [
  ['missing', (file) => rm(file)],
  ['empty', (file) => truncate(file, 0)],
  ['cut off', async (file) => truncate(file, (await stat(file)).size - 2)],
  ['cut in half', async (file) => truncate(file, Math.floor((await stat(file)).size / 2))],
  ['changed in one bit', flipByte],
  ['longer', (file) => appendFile(file, 'x')],
];

describe('fault 101: a damaged archive is refused, naming the file', () => {
  test.each(FILES.flatMap((file) => DAMAGES.map(([what, damage]) => [file, what, damage] as const)))(
    '%s is %s',
    async (file, _, damage) => {
      const folder = await copyOf(whole);
      await damage(join(folder, file));
      for (const opens of [() => openArchive(folder), () => finishedArchive(folder, HEADER)]) {
        const error = await refusalOf(opens);
        expect(error.code).toBe('ERR_AUDIT_ARCHIVE');
        expect(error.message).toContain(file === 'manifest.json' ? folder : file);
      }
    },
  );

  test('the message says what was seen and what was expected', async () => {
    const folder = await copyOf(whole);
    const { size } = await stat(join(folder, FILES[0]!));
    await truncate(join(folder, FILES[0]!), 10);
    const error = await refusalOf(() => openArchive(folder));
    expect(error.message).toContain(`its bytes are 10, expected ${size}`);
  });

  test('a file that no list names', async () => {
    const folder = await copyOf(whole);
    await writeFile(join(folder, '0003-entries-Order.ndjson.gz'), gzipSync(`${entryLine(13)}\n`));
    const error = await refusalOf(() => openArchive(folder));
    expect(error.message).toContain('0003-entries-Order.ndjson.gz');
  });

  test.each([
    ['"olderThan": "2025', '"olderThan": "2026'],
    ['"model": "Order"', '"model": "Customer"'],
    ['"type": "integer"', '"type": "text"'],
    ['"format": "sequelize-auditlog archive 1"', '"format": "sequelize-auditlog archive 9"'],
  ])('a manifest in which %s became %s', async (was, is) => {
    const folder = await copyOf(whole);
    const file = join(folder, 'manifest.json');
    const text = await readFile(file, 'utf8');
    expect(text).toContain(was);
    await writeFile(file, text.replace(was, is));
    expect((await refusalOf(() => openArchive(folder))).code).toBe('ERR_AUDIT_ARCHIVE');
  });

  test('two files that changed places', async () => {
    const folder = await copyOf(whole);
    await cp(join(whole, FILES[0]!), join(folder, FILES[1]!));
    await cp(join(whole, FILES[1]!), join(folder, FILES[0]!));
    expect((await refusalOf(() => openArchive(folder))).code).toBe('ERR_AUDIT_ARCHIVE');
  });

  test('a file that is damaged after it was verified, while it is read', async () => {
    const folder = await copyOf(whole);
    const archive = await openArchive(folder);
    await writeFile(join(folder, FILES[0]!), gzipSync([1, 2].map((n) => `${entryLine(n)}\n`).join('')));
    const error = await refusalOf(() => listed(rowsOf(archive, archive.manifest.files[0]!)));
    expect(error.message).toContain('its lines are 2, expected 4');
  });

  test('a folder without a manifest', async () => {
    const folder = join(root, 'unfinished-read');
    const writer = await ArchiveWriter.begin(folder, HEADER);
    await writer.add(ENTRIES, [entryLine(1)]);
    await writer.abandon();
    expect((await refusalOf(() => openArchive(folder))).message).toContain('unfinished');
    expect((await refusalOf(() => openArchive(join(root, 'nowhere')))).code).toBe('ERR_AUDIT_ARCHIVE');
  });
});

describe('where an archive is written', () => {
  test('what a killed run left is begun anew by the same request, and only by it', async () => {
    const folder = join(root, 'killed');
    const killed = await ArchiveWriter.begin(folder, HEADER);
    await killed.add(ENTRIES, [entryLine(1)]);
    await killed.abandon();
    const other = { ...HEADER, request: { ...HEADER.request, models: 'Order' } };
    expect((await refusalOf(() => ArchiveWriter.begin(folder, other))).message).toContain('models');
    expect(await finishedArchive(folder, HEADER)).toBeNull();
    const writer = await ArchiveWriter.begin(folder, HEADER);
    await writer.add(VERSIONS, [versionLine(2)]);
    await writer.finish();
    expect((await openArchive(folder)).manifest.files.map(({ kind }) => kind)).toEqual(['versions']);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test('a kill just before the manifest gets its name begins anew, one just after it leaves a whole archive', async () => {
    const before = await copyOf(whole);
    await rename(join(before, 'manifest.json'), join(before, 'manifest.json.new'));
    await writeFile(join(before, 'unfinished.json'), `${JSON.stringify(HEADER)}\n`);
    expect(await finishedArchive(before, HEADER)).toBeNull();
    await (await ArchiveWriter.begin(before, HEADER)).finish();
    expect(await readdir(before)).toEqual(['manifest.json']);

    const after = await copyOf(whole);
    await writeFile(join(after, 'unfinished.json'), `${JSON.stringify(HEADER)}\n`);
    expect((await finishedArchive(after, HEADER))?.manifest.files).toHaveLength(2);
  });

  test('a folder that holds something else is refused and stays as it is', async () => {
    const folder = join(root, 'taken');
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'x');
    for (const begins of [() => ArchiveWriter.begin(folder, HEADER), () => finishedArchive(folder, HEADER)])
      expect((await refusalOf(begins)).message).toContain('thesis.txt');
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  test('a file instead of a folder, and a folder in a file, are coded errors', async () => {
    const file = join(root, 'file');
    await writeFile(file, 'x');
    for (const folder of [file, join(file, 'folder')]) {
      expect((await refusalOf(() => finishedArchive(folder, HEADER))).code).toBe('ERR_AUDIT_ARCHIVE');
      expect((await refusalOf(() => ArchiveWriter.begin(folder, HEADER))).code).toBe('ERR_AUDIT_ARCHIVE');
    }
  });

  test('a disk that fails on the way is a coded error, and there is no manifest', async () => {
    const folder = join(root, 'failing');
    const writer = await ArchiveWriter.begin(folder, HEADER);
    await writer.add(ENTRIES, [entryLine(1)]);
    // The next file can't be made any more, nor a manifest.
    await rm(folder, { recursive: true });
    const fails = async (): Promise<void> => {
      await writer.add(VERSIONS, [versionLine(1)]);
      await writer.finish();
    };
    const error = await refusalOf(fails);
    expect(error.message).toContain('nothing was removed');
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  test('a line that is none of an archive is refused', async () => {
    const writer = await ArchiveWriter.begin(join(root, 'odd'), HEADER);
    const error = await refusalOf(() => writer.add(ENTRIES, ['{"timestamp":"x"}']));
    expect(error.message).toContain("doesn't begin with an id and a time");
    await writer.abandon();
  });
});
