import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DataTypes, literal, type Transaction } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const FULL = process.env['FULL'] === '1';
const MB = 1024 * 1024;
/** The embedded servers take 200 connections, and other files need some beside this one. */
const WRITERS = FULL ? 120 : 40;
const CHANGES = FULL ? 100_000 : 20_000;

const database = testDatabase({ pool: { max: WRITERS, acquire: 60_000 } });
const { sequelize } = database;
const options = { timestamps: false };
const Counter = sequelize.define('Counter', { n: DataTypes.INTEGER, name: DataTypes.TEXT }, options);
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Counter, { snapshots: true });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());
beforeEach(() =>
  database.rows('truncate "Counters", "Counters_history", audit_log_entries restart identity'),
);

/** Waits until so many have come, and lets all go on at once. */
class Meeting {
  readonly #awaited: number;
  #came = 0;
  #open: () => void = () => undefined;
  readonly #all = new Promise<void>((resolve) => (this.#open = resolve));

  constructor(awaited: number) {
    this.#awaited = awaited;
  }

  come(): Promise<void> {
    this.#came += 1;
    if (this.#came === this.#awaited) this.#open();
    return this.#all;
  }
}

test(`108 ${WRITERS} writers of different rows, in transactions that are all open at once, wait for none of the others`, async () => {
  const counters = await Counter.bulkCreate(Array.from({ length: WRITERS }, () => ({ n: 0 })));
  const written = new Meeting(WRITERS + 1);
  const looked = new Meeting(WRITERS + 1);
  const write = async (at: number, transaction: Transaction): Promise<void> => {
    // A lock that another one holds to its end would be an error here, and not a wait.
    await sequelize.query(`set local lock_timeout = '20s'`, { transaction });
    await counters[at]!.update({ n: 1 }, { transaction });
    await Counter.create({ n: at }, { transaction });
    await Counter.destroy({ where: { id: counters[at]!.get('id') as number }, transaction });
    await written.come();
    await looked.come();
  };
  const writing = Promise.all(
    counters.map((_, at) => sequelize.transaction((transaction) => write(at, transaction))),
  );
  // None of them has ended, and each has written: whoever had to wait for another would still do so.
  await Promise.race([written.come(), writing]);
  const [locks] = await database.rows<{ holders: number; waiting: number }>(
    `select count(distinct pid) filter (where granted)::int as holders, count(*) filter (where not granted)::int as waiting
       from pg_locks where relation in ('audit_log_entries'::regclass, '"Counters_history"'::regclass) or not granted`,
  );
  await looked.come();
  await writing;
  expect(locks).toEqual({ holders: WRITERS, waiting: 0 });
  expect(await auditLog.LogEntry.count()).toBe(4 * WRITERS);
}, 120_000);

test(`109 ${CHANGES} changes of one transaction that are all told to a listener keep nothing of them on the heap`, async () => {
  await database.rows(
    `insert into "Counters" (n, name) select i, repeat('x', 200) from generate_series(1, $1::int) i`,
    [CHANGES],
  );
  let told = 0;
  let held = 0;
  const all = new Meeting(CHANGES + 1);
  const hear = (): void => {
    told += 1;
    if (told % (CHANGES / 4) === 0) {
      collectGarbage();
      held = Math.max(held, process.memoryUsage().heapUsed - before);
    }
    void all.come();
  };
  auditLog.on('audited', hear);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await sequelize.transaction(async (transaction) => {
    for (const part of [0, 1])
      await Counter.update(
        { n: literal('n + 1') as never },
        { where: literal(`id % 2 = ${part}`), transaction },
      );
    expect(told).toBe(0);
  });
  await all.come();
  auditLog.off('audited', hear);
  if (FULL) process.stderr.write(`${(held / MB).toFixed(1)} MB\n`);
  // A page of 5,000 is in use meanwhile, some half a kilobyte each.
  expect(held).toBeLessThan(6 * MB);
  expect(await auditLog.LogEntry.count()).toBe(CHANGES);
}, 300_000);
