import { isDeepStrictEqual } from 'node:util';
import { isAuditError, type AuditedModel } from 'sequelize-auditlog';
import { plain, takeShadow, TREE, treeOf, visible, type Shadow } from '../past/shadow';
import { tell } from '../past/story';
import { SUBJECTS } from '../past/story-models';
import { KEYS, storyReaders, type Handles } from '../past/story-readers';
import { Chance } from '../replay/random';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

/** Said on failure: `SEED=7 npm test -- test/retention/prune-property` repeats it, as far as writers at once can be repeated. */
const FULL = process.env['FULL'] === '1';
const GIVEN = process.env['SEED'];
const SEEDS = GIVEN === undefined ? (FULL ? [1, 2, 3, 4, 5, 6, 7, 8] : [20_261_122]) : [Number(GIVEN)];
const CHAPTERS = FULL ? 4 : 3;
const OPERATIONS = FULL ? 60 : 14;
const WRITERS = FULL ? 3 : 2;
/** Objects of each model that are looked at one by one. */
const PICKS = FULL ? 7 : 1;

const database = testDatabase({ pool: { max: WRITERS + 2 } });
const { sequelize } = database;
sequelize.addHook('afterConnect', async (connection) => {
  await (connection as { query(sql: string): Promise<unknown> }).query(`set deadlock_timeout = '20ms'`);
});
const {
  models,
  auditLog,
  readLog,
  fromVersions: FROM_VERSIONS,
  fromEntries: FROM_ENTRIES,
} = storyReaders(database);

beforeAll(async () => {
  await openAudited(database, auditLog);
});
afterAll(() => database.close());

async function emptyTables(): Promise<void> {
  const tables = await database.rows<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables where schemaname = current_schema()`,
  );
  await database.admin.query(`truncate ${tables.map(({ name }) => name).join(', ')}`);
}

async function write(seed: number): Promise<Shadow[]> {
  await emptyTables();
  const shadows: Shadow[] = [];
  for (let chapter = 1; chapter <= CHAPTERS; chapter += 1) {
    const writers = Array.from({ length: WRITERS }, (_, at) => new Chance(seed * 1009 + chapter * 31 + at));
    const told = await Promise.allSettled(writers.map((chance) => tell(models, chance, OPERATIONS)));
    for (const each of told) if (each.status === 'rejected') throw each.reason;
    shadows.push(await takeShadow(database, models, auditLog.LogEntry));
  }
  return shadows;
}

function codeOf(error: unknown): string {
  if (isAuditError(error)) return error.code;
  throw error;
}

type Answers = Record<string, unknown>;

/** What one object was at each of the times, what differs between any two of them, and what going back would change. */
async function ofObject(
  handle: AuditedModel,
  key: readonly unknown[],
  times: readonly string[],
): Promise<Answers> {
  const answers: Answers = {};
  for (const [at, time] of times.entries()) {
    const row = await handle
      .asOf(time)
      .findByPk(key as never, { paranoid: false })
      .catch(codeOf);
    answers[`at ${time}`] = typeof row === 'string' ? row : row && visible(row);
    const dry = await handle.revert(key as never, { to: time, force: true, dryRun: true }).catch(codeOf);
    answers[`back to ${time}`] = plain(dry);
    for (const later of [...times.slice(at + 1), 'current']) {
      const diff = await handle.diff(key as never, time, later).then(({ changes }) => changes, codeOf);
      answers[`from ${time} to ${later}`] = plain(diff);
    }
  }
  return answers;
}

/** What history says of the times. */
async function answersOf(handles: Handles, times: readonly string[], seed: number): Promise<Answers> {
  const chance = new Chance(seed);
  const answers: Answers = {};
  for (const name of SUBJECTS) {
    for (const time of times) {
      const order = handles[name].model.primaryKeyAttributes as never;
      const rows = await handles[name].asOf(time).findAll({ paranoid: false, order });
      answers[`${name} at ${time}`] = rows.map(visible);
      answers[`number of ${name} at ${time}`] = await handles[name].asOf(time).count();
    }
    const picked = Array.from({ length: PICKS }, () => chance.pick(KEYS[name]));
    for (const key of picked) answers[`${name} ${key.join()}`] = await ofObject(handles[name], key, times);
  }
  return answers;
}

async function travelling(times: readonly string[]): Promise<unknown[]> {
  const trees: unknown[] = [];
  for (const time of times) {
    const tree = auditLog.asOf(time, async (transaction) =>
      treeOf(await models.Item.findAll({ ...TREE, transaction })),
    );
    trees.push(await tree);
  }
  return trees;
}

const isTree = (value: unknown): value is Answers =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What differs, said in short; `after` may be about fewer times. */
function differences(before: Answers, after: Answers): string[] {
  return Object.entries(after).flatMap(([name, now]) => {
    const then = before[name];
    if (isDeepStrictEqual(then, now)) return [];
    if (isTree(then) && isTree(now)) return differences(then, now).map((each) => `${name}, ${each}`);
    return [`${name}: ${JSON.stringify(now)} and not ${JSON.stringify(then)}`];
  });
}

const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0);

describe.each(SEEDS)('a random story (SEED=%i)', (seed) => {
  test('E52, E53: reads the same after a prune, from entries and from versions, with links, at any time from then on', async () => {
    const shadows = await write(seed);
    const times = shadows.slice(1).map(({ time }) => time);
    const olderThan = shadows[0]!.time;
    const entries = await answersOf(FROM_ENTRIES, times, seed);
    const versions = await answersOf(FROM_VERSIONS, times, seed);
    const trees = await travelling(times);

    const planned = await readLog.prune({ olderThan, dryRun: true });
    const before = await readLog.LogEntry.count();
    const pruned = await readLog.prune({ olderThan, batchSize: 7 });
    expect(pruned).toEqual(planned);
    expect(pruned['Item']!.entries).toBeGreaterThan(0);
    const counts = Object.values(pruned).map((each) => each.entries);
    const marks = counts.filter((count) => count > 0).length;
    expect(await readLog.LogEntry.count()).toBe(before - sum(counts) + marks);
    expect(differences(entries, await answersOf(FROM_ENTRIES, times, seed))).toEqual([]);

    const rest = await auditLog.prune({ olderThan, dryRun: true });
    expect(await auditLog.prune({ olderThan, batchSize: 7 })).toEqual(rest);
    expect(differences(versions, await answersOf(FROM_VERSIONS, times, seed))).toEqual([]);
    expect(await travelling(times)).toEqual(trees);
    const nothing = Object.values(await auditLog.prune({ olderThan }));
    expect(sum(nothing.map((each) => each.entries + each.versions))).toBe(0);

    // What is left after one prune is a base for the next.
    await auditLog.prune({ olderThan: times[0]!, batchSize: 5 });
    expect(differences(versions, await answersOf(FROM_VERSIONS, times.slice(1), seed))).toEqual([]);
  }, 300_000);
});
