import express from 'express';
import request from 'supertest';
import { DataTypes, type BelongsToManyAddAssociationMixin, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, withAuditContext, type AuditedModel, type LogEntry } from 'sequelize-auditlog';
import { auditRouter } from 'sequelize-auditlog/web';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { pageOf, type Page } from '../support/page-text';

// Fault 102: after a prune nothing is guessed. Three models live through the same, are pruned once, and are asked about times
// before and after it. Object 1 is there throughout, 2 was never touched again, 3 is deleted before the cut and 4 after it, 5 is
// created after it.
const database = testDatabase();
const { sequelize } = database;
const { INTEGER, TEXT, CHAR } = DataTypes;
const auditLog = createAuditLog(sequelize);
const { LogEntry } = auditLog;
const Tag = sequelize.define('Tag', { name: TEXT }, { timestamps: false });

type Tagged = Model & { addTag: BelongsToManyAddAssociationMixin<Model, number> };

function subjectOf(
  name: string,
  snapshots: boolean,
  type: object,
): { model: ModelStatic<Model>; handle: AuditedModel } {
  const attributes = { id: { type, primaryKey: true }, status: TEXT, note: TEXT };
  const model = sequelize.define(name, attributes as never, { timestamps: false });
  model.belongsToMany(Tag, { through: `${name}Tag`, as: 'tags', timestamps: false });
  return { model, handle: auditLog.registerAudited(model, { snapshots, associations: ['tags'] }) };
}

const subjects = {
  versions: subjectOf('Versioned', true, INTEGER),
  entries: subjectOf('Logged', false, INTEGER),
  // Its key has no exact text, so that the general road is taken.
  'entries by the general road': subjectOf('Padded', false, CHAR(3)),
};
type Name = keyof typeof subjects;
const NAMES = Object.keys(subjects) as Name[];

const transactions = new Map<string, string>();

/** What one model goes through, step by step; the prune removes what came in the first five. */
function lifeOf(name: Name): (() => Promise<unknown>)[] {
  const { model } = subjects[name];
  const set = (id: number, values: object): Promise<unknown> =>
    model.update(values, { where: { id: String(id) } });
  const create = (id: number): Promise<Model> => model.create({ id: String(id), status: 'a', note: 'one' });
  return [
    async () => {
      for (const id of [1, 2, 3, 4]) await create(id);
    },
    async () => {
      await set(1, { status: 'b' });
      await ((await model.findByPk('1')) as Tagged).addTag(1);
    },
    // Back to what it was: in a truncated base nothing would tell of the b.
    () => set(1, { status: 'a' }),
    async () => {
      await model.destroy({ where: { id: '3' } });
      await noted(`${name} old`, () => set(1, { status: 'c' }));
    },
    () => set(1, { note: 'two' }),
    async () => {
      await noted(`${name} new`, () => set(1, { status: 'd' }));
      await create(5);
      await model.destroy({ where: { id: '4' } });
    },
  ];
}

/** Keeps the id of the transaction. */
async function noted(what: string, work: () => Promise<unknown>): Promise<void> {
  await work();
  const newest = await LogEntry.findOne({ order: [['id', 'DESC']] });
  transactions.set(what, newest!.transactionId!);
}

/** The database's clock before the first step and after each. */
const times: string[] = [];
const CUT = 5;

async function readClock(): Promise<void> {
  const now = `to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  const [row] = await database.rows<{ at: string }>(`select ${now} as "at"`);
  times.push(row!.at);
}

let oldCursor = '';
let lastCursor = '';

/** The cursor of the first, and of the last entry that there is. */
async function cursors(): Promise<[first: string, last: string]> {
  const count = await LogEntry.count();
  const all: string[] = [];
  for await (const { cursor } of auditLog.tail({ pollMs: 5 })) if (all.push(cursor) === count) break;
  return [all[0]!, all.at(-1)!];
}

beforeAll(async () => {
  await openAudited(database, auditLog);
  await Tag.create({ id: 1, name: 'one' });
  const lives = NAMES.map(lifeOf);
  await readClock();
  for (const step of lives[0]!.keys()) {
    for (const life of lives) await life[step]!();
    await readClock();
  }
  [oldCursor, lastCursor] = await cursors();
  await withAuditContext({ actor: 'alice' }, () => auditLog.prune({ olderThan: times[CUT]! }));
}, 60_000);
afterAll(() => database.close());

const gapOf = async (work: () => unknown): Promise<string> => {
  const { code, message } = await refusalOf(work);
  expect(code).toBe('ERR_AUDIT_HISTORY_GAP');
  return message;
};

describe.each(NAMES)('fault 102: read from %s, after a prune', (name) => {
  const { model, handle } = subjects[name];
  const statusAt = async (id: number, time: number): Promise<unknown> =>
    (await handle.asOf(times[time]!).findByPk(String(id)))?.get('status') ?? null;

  test('times since the cut are as they were', async () => {
    expect([await statusAt(1, 5), await statusAt(1, 6)]).toEqual(['c', 'd']);
    expect([await statusAt(4, 5), await statusAt(4, 6)]).toEqual(['a', null]);
    expect([await statusAt(5, 5), await statusAt(5, 6)]).toEqual([null, 'a']);
    expect([await statusAt(3, 5), await statusAt(3, 6)]).toEqual([null, null]);
    const then = await handle.asOf(times[CUT]!).findAll({ order: ['id'], strict: true });
    expect(then.map((row) => String(row.get('id')).trim())).toEqual(['1', '2', '4']);
  });

  test('an object that did not change until the cut is known before it', async () => {
    expect([await statusAt(2, 1), await statusAt(2, 4), await statusAt(4, 3)]).toEqual(['a', 'a', 'a']);
  });

  test('no state is made of what is left, and none called absent', async () => {
    for (const time of [1, 2, 3, 4])
      expect(await gapOf(() => statusAt(1, time))).toContain('its history begins at');
    // Deleted before the cut, created after it, never there at all: nothing tells these apart.
    for (const id of [3, 5, 6]) expect(await gapOf(() => statusAt(id, 2))).toContain(times[CUT]!);
    expect(await gapOf(() => statusAt(2, 0))).toContain('its history begins at');
    const query = { rejectOnEmpty: true } as never;
    await gapOf(() => handle.asOf(times[2]!).findByPk('3', query));
  });

  test('diff and revert say so too, and change nothing', async () => {
    await gapOf(() => handle.diff('1', times[3]!, 'current'));
    await gapOf(() => handle.revert('1', { to: times[2]! }));
    await gapOf(() => handle.revert('3', { to: times[2]!, dryRun: true }));
    expect((await model.findByPk('1'))!.get('status')).toBe('d');
    const { changes } = await handle.diff('1', times[CUT]!, 'current');
    expect(changes).toEqual([{ attribute: 'status', old: 'c', new: 'd' }]);
  });

  test('a record that is left stands for what it shows, or for a gap', async () => {
    const { id } = (await handle.entries('5')).at(-1)!;
    const since = await LogEntry.findByPk(id);
    expect((await handle.asOf(since!).findByPk('1'))!.get('status')).toBe('d');
    const mark = (await LogEntry.findOne({ where: { action: 'prune', model: handle.model.name } }))!;
    const early = LogEntry.build(
      { ...mark.dataValues, id: '1', timestamp: new Date(times[2]!) },
      { raw: true },
    );
    await gapOf(() => handle.asOf(early).findByPk('1'));
    await gapOf(() => handle.asOf(early).findByPk('3'));
  });

  test('lists leave out what is unknown; strict refuses', async () => {
    const ids = (await handle.asOf(times[3]!).findAll({ order: ['id'] })).map((row) => row.get('id'));
    expect(ids.map(String).map((id) => id.trim())).toEqual(['2', '4']);
    expect(await handle.asOf(times[3]!).count()).toBe(2);
    for (const work of ['findAll', 'findOne', 'count'] as const)
      expect(await gapOf(() => handle.asOf(times[3]!)[work]({ strict: true }))).toContain('unknown');
  });

  test('links of a time before are compared by nobody, and put back by nobody', async () => {
    expect(await gapOf(() => handle.diff('2', times[1]!, 'current'))).toContain('(tags)');
    const { changes } = await handle.diff('2', times[1]!, 'current', { exclude: ['tags'] as never });
    expect(changes).toEqual([]);
    const { skipped } = await handle.revert('2', { to: times[1]!, dryRun: true });
    expect(skipped).toEqual([{ attribute: 'tags', why: `its links before ${times[CUT]!} were pruned` }]);
    const { code } = await refusalOf(() =>
      handle.revert('2', { to: times[1]!, only: ['tags'], dryRun: true }),
    );
    expect(code).toBe('ERR_AUDIT_NOT_RESTORABLE');
  });

  test('a transaction is undone whole or not at all', async () => {
    expect(await gapOf(() => auditLog.revertTransaction(transactions.get(`${name} old`)!))).toContain(
      'pruned',
    );
    const { changes } = await auditLog.revertTransaction(transactions.get(`${name} new`)!, { dryRun: true });
    expect(changes.map(({ objectPk, changes: each }) => [objectPk, each])).toEqual([
      ['1', [{ attribute: 'status', now: 'd', after: 'c' }]],
    ]);
  });
});

test('fault 102: auditLog.asOf leaves out what is unknown', async () => {
  const { model } = subjects.versions;
  const found = await auditLog.asOf(times[3]!, (transaction) =>
    model.findAll({ order: ['id'], transaction }),
  );
  expect(found.map((row) => row.get('id'))).toEqual([2, 4]);
});

test('fault 102: a request of which nothing is left may have been pruned, and so may half of a recent one', async () => {
  expect(await gapOf(() => auditLog.revertRequest('gone'))).toContain('(any more)');
  const work = (): Promise<unknown> => subjects.versions.model.update({ note: 'x' }, { where: { id: 2 } });
  await withAuditContext({ correlationId: 'recent' }, work);
  expect(await gapOf(() => auditLog.revertRequest('recent'))).toContain('may not be whole');
});

test('fault 111: a cursor that a prune overtook is refused; one behind it goes on, and so does who has none', async () => {
  const next = async (after?: string): Promise<LogEntry> => {
    for await (const { entry } of auditLog.tail({ after: after ?? null, pollMs: 5 })) return entry;
    throw new Error('ended');
  };
  expect(await gapOf(() => next(oldCursor))).toContain('Go on without a cursor');
  expect((await next(lastCursor)).action).toBe('prune');
  expect((await next()).objectPk).toBe('1');
});

test('a reader that began after the prune goes on from its own cursor, though older ids were removed behind it', async () => {
  const read = async (after: string | null): Promise<{ entry: LogEntry; cursor: string }> => {
    for await (const found of auditLog.tail({ after, pollMs: 5 })) return found;
    throw new Error('ended');
  };
  const first = await read(null);
  const second = await read(first.cursor);
  expect([first.entry.transactionId, first.entry.id]).not.toEqual([
    second.entry.transactionId,
    second.entry.id,
  ]);
  const marks = await auditLog.LogEntry.findAll({ where: { action: 'prune' } });
  const removed = marks.map(({ additionalData }) => BigInt(additionalData!['lastTransactionId'] as string));
  expect(removed.some((id) => id > BigInt(first.entry.transactionId!))).toBe(true);
});
test('fault 111: a reader that a prune overtakes while it runs is told', async () => {
  const row = subjects.entries.model;
  const reading = auditLog.tail({ pollMs: 5 });
  expect((await reading.next()).done).toBe(false);
  await row.update({ note: 'y' }, { where: { id: '5' } });
  await row.update({ note: 'z' }, { where: { id: '5' } });
  await readClock();
  await auditLog.prune({ olderThan: times.at(-1)!, models: [row] });
  const rest = async (): Promise<void> => {
    for await (const { entry } of reading) if (entry.action === 'prune' && entry.model === 'never') return;
  };
  expect(await gapOf(rest)).toContain('this reader had not got to');
});

test('a prune describes itself; an entry of the same word that the application wrote is none', async () => {
  const mark = (await LogEntry.findOne({ where: { action: 'prune' }, order: [['id', 'ASC']] }))!;
  const { entries, versions } = mark.additionalData as { entries: number; versions: number };
  const counts = `${entries} ${entries === 1 ? 'entry' : 'entries'}${versions === 0 ? '' : ` and ${versions} versions`}`;
  const time = times[CUT]!.replace(/\.?0*Z$/, 'Z');
  expect(mark.describe()).toBe(`alice pruned ${counts} of ${mark.model} older than ${time}`);
  expect(mark.displayChanges()).toEqual([]);
  const data = { olderThan: 'no time at all' };
  const own = await auditLog.log((await subjects.versions.model.findByPk(2))!, {
    action: 'prune',
    additionalData: data,
  });
  expect(own!.describe()).toBe('system pruned Versioned 2');
  expect(await subjects.versions.handle.asOf(times[CUT]!).count()).toBe(3);
});

const app = express().use('/audit', auditRouter(auditLog, { authorize: () => true }));
const open = async (path: string): Promise<Page> => pageOf(await request(app).get(`/audit/${path}`));

test('pages say what a prune did, and what they do not know since', async () => {
  const mark = (await LogEntry.findOne({ where: { action: 'prune', model: 'Versioned', objectPk: null } }))!;
  const page = await open(`e/${mark.id}`);
  expect(page.sentences).toEqual([
    expect.stringMatching(/^alice pruned \d+ entries, \d+ versions of Versioned older than /),
  ]);
  expect(page.text).not.toContain('Timeline');
  expect((await open(`o/Versioned/1/at?t=${times[2]}`)).status).toBe(422);
  const known = await open(`o/Versioned/1/at?t=${times[CUT]}`);
  expect([known.status, known.text.includes('at that time is not known')]).toEqual([200, false]);
  expect((await open(`o/Logged/2/at?t=${times[3]}`)).text).toContain('What it was linked to at that time');
  const diff = await request(app)
    .get('/audit/api/v1/objects/Logged/1/diff')
    .query({ from: times[2], to: times[CUT] });
  expect(diff.status).toBe(422);
  const old = transactions.get('entries by the general road old')!;
  const undo = request(app).post(`/audit/t/${old}`).type('form').set('sec-fetch-site', 'same-origin');
  const refused = pageOf(await undo.send({ reason: 'wrong', preview: '1' }));
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('may have been pruned')]);
});
