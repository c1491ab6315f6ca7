import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DataTypes, literal, Op } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const ROWS = process.env['FULL'] === '1' ? 200_000 : 20_000;
const MB = 1024 * 1024;
const BOUND = 50 * MB;
/** The addresses of rows that a cascade locks pass through Node as text, some 20 bytes a row. */
const CASCADE_BOUND = ROWS > 20_000 ? BOUND : 8 * MB;

const database = testDatabase();
const { sequelize } = database;
const options = { timestamps: false };
const Reading = sequelize.define('Reading', { value: DataTypes.INTEGER, note: DataTypes.TEXT }, options);
const Parent = sequelize.define('Parent', { name: DataTypes.TEXT }, options);
const Child = sequelize.define('Child', { name: DataTypes.TEXT }, options);
Parent.hasMany(Child, { foreignKey: 'parentId', onDelete: 'CASCADE' });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Reading, { snapshots: true });
auditLog.registerAudited(Parent);
auditLog.registerAudited(Child);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

beforeAll(async () => {
  await openAudited(database, auditLog);
  await database.rows('create index on "Children" ("parentId")');
});
afterAll(() => database.close());

/** How far the heap grows above where it was while `work` waits for the server. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const sample = (): void => {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  };
  const timer = setInterval(sample, 2);
  try {
    await work();
    sample();
  } finally {
    clearInterval(timer);
  }
  if (process.env['FULL'] === '1') process.stderr.write(`${((peak - before) / MB).toFixed(0)} MB\n`);
  return peak - before;
}

async function entries(model: string, action: string): Promise<number> {
  return auditLog.LogEntry.count({ where: { model, action } });
}

async function fill(count: number): Promise<void> {
  await database.rows('truncate "Readings", "Parents", "Children", audit_log_entries');
  await database.rows(
    `insert into "Readings" (value, note) select n, repeat('x', 200) from generate_series(1, $1::int) n`,
    [count],
  );
}

const long = ROWS > 20_000 ? 300_000 : 30_000;

test(
  '109 Model.update over many rows stays within 50 MB of heap',
  async () => {
    await fill(ROWS);
    expect(
      await growth(() => Reading.update({ value: literal('value + 1') as never }, { where: {} })),
    ).toBeLessThan(BOUND);
    expect(await entries('Reading', 'update')).toBe(ROWS);
  },
  long,
);

test(
  '109 Model.increment over many rows stays within 50 MB of heap',
  async () => {
    await fill(ROWS);
    // Sequelize asks for every row, audited or not.
    expect(
      await growth(() => Reading.increment('value', { where: { value: { [Op.lte]: 1000 } } })),
    ).toBeLessThan(BOUND);
    expect(await entries('Reading', 'update')).toBe(1000);
  },
  long,
);

test(
  '109 Model.destroy over many rows stays within 50 MB of heap',
  async () => {
    await fill(ROWS);
    expect(await growth(() => Reading.destroy({ where: {} }))).toBeLessThan(BOUND);
    expect(await entries('Reading', 'delete')).toBe(ROWS);
  },
  long,
);

test(
  '109 Model.truncate over many rows stays within 50 MB of heap',
  async () => {
    await fill(ROWS);
    expect(await growth(() => Reading.truncate())).toBeLessThan(BOUND);
    expect(await entries('Reading', 'delete')).toBe(ROWS);
  },
  long,
);

test(
  '109 many changes in one transaction leave nothing behind on the heap',
  async () => {
    await fill(500);
    const write = () =>
      sequelize.transaction(async (transaction) => {
        for (let round = 0; round < 20; round += 1)
          await Reading.update({ value: round }, { where: {}, transaction });
      });
    await write();
    expect(await growth(write)).toBeLessThan(BOUND);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await write();
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 * MB);
  },
  long,
);

test(
  '109 a delete that cascades to many children stays within 50 MB of heap',
  async () => {
    await fill(0);
    await database.rows(`insert into "Parents" (id, name) select n, 'p' from generate_series(1, $1::int) n`, [
      ROWS / 2,
    ]);
    await database.rows(
      `insert into "Children" (name, "parentId") select 'c', 1 + n % $1::int from generate_series(1, $1::int) n`,
      [ROWS / 2],
    );
    expect(await growth(() => Parent.destroy({ where: {} }))).toBeLessThan(CASCADE_BOUND);
    expect([await entries('Parent', 'delete'), await entries('Child', 'delete')]).toEqual([
      ROWS / 2,
      ROWS / 2,
    ]);
  },
  long,
);
