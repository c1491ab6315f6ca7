import { isDeepStrictEqual } from 'node:util';
import { isAuditError, type AuditedModel, type LogEntry } from 'sequelize-auditlog';
import { keyOf, plain, takeShadow, visible, type Shadow } from '../past/shadow';
import { tell } from '../past/story';
import { SUBJECTS, type Subject } from '../past/story-models';
import { KEYS, storyReaders } from '../past/story-readers';
import { Chance } from '../replay/random';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

// Fault 102 for random stories: whatever is asked about times before a prune is answered as before it, or not at all.
// `SEED=7 npm test -- test/retention/gaps-property` repeats a failure.
const FULL = process.env['FULL'] === '1';
const GIVEN = process.env['SEED'];
const SEEDS = GIVEN === undefined ? (FULL ? [1, 2, 3, 4, 5, 6] : [20_261_122]) : [Number(GIVEN)];
const OPERATIONS = FULL ? 40 : 14;
/** Entries that stand for times, and objects of each model that are asked for. */
const [POINTS, PICKS] = FULL ? [4, 2] : [1, 1];

const database = testDatabase();
const {
  models,
  auditLog,
  readLog,
  fromVersions: FROM_VERSIONS,
  fromEntries: FROM_ENTRIES,
} = storyReaders(database);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const GAP = 'ERR_AUDIT_HISTORY_GAP';

function codeOf(error: unknown): string {
  if (isAuditError(error)) return error.code;
  throw error;
}

type Point = string | LogEntry;

/** What a revert would change, without links that it says are lost. */
async function revertOf(
  handle: AuditedModel,
  key: never,
  to: Point,
  lost: ReadonlySet<string>,
): Promise<unknown> {
  const plan = await handle.revert(key, { to, force: true, dryRun: true }).catch(codeOf);
  if (typeof plan === 'string') return plan;
  const kept = (each: { readonly attribute: string }): boolean => !lost.has(each.attribute);
  return plain({ changes: plan.changes.filter(kept), skipped: plan.skipped.filter(kept) });
}

/** Every question about one object at one point; those of a revert as a function of which links are lost. */
async function askAll(
  handle: AuditedModel,
  key: never,
  point: Point,
  lost: ReadonlySet<string>,
): Promise<unknown[]> {
  const row = await handle.asOf(point).findByPk(key, { paranoid: false }).catch(codeOf);
  const diff = await handle.diff(key, point, 'current').then(({ changes }) => plain(changes), codeOf);
  const values = { exclude: handle.model.associations['tags'] ? ['tags'] : [] };
  const columns = await handle
    .diff(key, point, 'current', values as never)
    .then(({ changes }) => plain(changes), codeOf);
  return [
    typeof row === 'string' ? row : row && visible(row),
    diff,
    columns,
    await revertOf(handle, key, point, lost),
  ];
}

const NONE: ReadonlySet<string> = new Set();
const TAGS: ReadonlySet<string> = new Set(['tags']);

interface Asked {
  readonly name: string;
  readonly handle: AuditedModel;
  readonly key: never;
  readonly point: Point;
}

/** Of objects that were there at the cut, and of any. */
function questions(points: readonly Point[], chance: Chance, { rows }: Shadow): Asked[] {
  const keysOf = ({ model }: AuditedModel, subject: Subject): unknown[][] =>
    Array.from({ length: PICKS }, (_, at) => {
      const isThere = at % 2 === 0 && rows[subject].length > 0;
      return isThere ? keyOf(model, chance.pick(rows[subject])) : chance.pick(KEYS[subject]);
    });
  return [FROM_VERSIONS, FROM_ENTRIES].flatMap((handles, kind) =>
    SUBJECTS.flatMap((subject) =>
      keysOf(handles[subject], subject).flatMap((key) =>
        points.map((point, at) => {
          const name = `${kind === 0 ? 'versions' : 'entries'}: ${subject} ${key.join()} at ${at}`;
          return { name, handle: handles[subject], key: key as never, point };
        }),
      ),
    ),
  );
}

async function listed(points: readonly Point[]): Promise<unknown[][]> {
  const lists: unknown[][] = [];
  for (const handles of [FROM_VERSIONS, FROM_ENTRIES])
    for (const subject of SUBJECTS)
      for (const point of points)
        lists.push((await handles[subject].asOf(point).findAll({ paranoid: false })).map(visible));
  return lists;
}

describe.each(SEEDS)('a random story (SEED=%i)', (seed) => {
  test('fault 102: no question about a time before a prune gets another answer than it had', async () => {
    const chance = new Chance(seed);
    await tell(models, chance, OPERATIONS);
    const first = await takeShadow(database, models, auditLog.LogEntry);
    await tell(models, chance, OPERATIONS);
    const cut = await takeShadow(database, models, auditLog.LogEntry);
    await tell(models, chance, OPERATIONS);
    const entries = await auditLog.LogEntry.findAll({ order: ['id'] });
    const old = entries.filter(({ timestamp }) => timestamp.toISOString() < cut.time);
    const random = Array.from({ length: POINTS }, () => chance.pick(old));
    const points: Point[] = [first.time, old.at(-1)!, ...random];

    const asked = questions(points, chance, cut);
    const before: unknown[][] = [];
    for (const { handle, key, point } of asked)
      before.push([...(await askAll(handle, key, point, NONE)), await revertOf(handle, key, point, TAGS)]);
    const lists = await listed(points);
    // With versions that tell of the rows, or without.
    await chance.pick([auditLog, readLog]).prune({ olderThan: cut.time, batchSize: 7 });

    const wrong: string[] = [];
    let gaps = 0;
    for (const [at, { name, handle, key, point }] of asked.entries()) {
      const [row, diff, columns, revert, withoutLinks] = before[at]!;
      const then = [row, diff, columns, revert];
      const now = await askAll(handle, key, point, NONE);
      const isLinkless = isDeepStrictEqual(withoutLinks, await revertOf(handle, key, point, TAGS));
      for (const [kind, answer] of now.entries()) {
        if (answer === GAP) gaps += 1;
        else if (!isDeepStrictEqual(answer, then[kind]) && !(kind === 3 && isLinkless))
          wrong.push(`${name}, ${kind}: ${JSON.stringify(answer)} and not ${JSON.stringify(then[kind])}`);
      }
    }
    for (const [at, list] of (await listed(points)).entries())
      for (const row of list)
        if (!lists[at]!.some((each) => isDeepStrictEqual(each, row)))
          wrong.push(`list ${at}: ${JSON.stringify(row)}`);
    expect(wrong).toEqual([]);
    expect(gaps).toBeGreaterThan(0);
    expect(gaps).toBeLessThan(asked.length * 4);
  }, 600_000);
});
