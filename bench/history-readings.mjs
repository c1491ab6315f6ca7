// What is read of a long history: what is prepared outside the clock, what is timed, and its limit in milliseconds.
import { Op } from 'sequelize';
import { picker, SECONDS_APART } from './history-fixture.mjs';

const page = { limit: 50 };
const nothing = () => null;
const timeOf = (n) => new Date(Date.UTC(2024, 0, 1) + Math.round(n) * SECONDS_APART * 1000);

/** Early: all orders are there; late: some are deleted, and one has changed often since. */
export function moments({ VERSIONS }) {
  const parts = { early: 0.25, middle: 0.6, late: 0.995 };
  return Object.entries(parts).map(([name, part]) => ({ name, when: timeOf(VERSIONS * part) }));
}

/** The log's table as an application would read it by itself: what of a reading is Sequelize's and the driver's. */
function plainEntries(sequelize, LogEntry) {
  const attributes = Object.entries(LogEntry.getAttributes()).map(([name, { type, field, primaryKey }]) => [
    name,
    { type, field, primaryKey },
  ]);
  const tableName = LogEntry.getTableName();
  return sequelize.define('PlainEntry', Object.fromEntries(attributes), { tableName, timestamps: false });
}

/** Of the log and of versions, each with a limit of 3 ms. */
function finders({ sequelize, Order, LogEntry, orders }, sizes) {
  const some = picker(sizes.OBJECTS);
  const entry = picker(sizes.ENTRIES);
  const Plain = plainEntries(sequelize, LogEntry);
  const hash = (text) => sequelize.query(`select md5('${text}') as id`, { plain: true }).then(({ id }) => id);
  return {
    forObject: { prepare: some, run: (id) => LogEntry.forObject(Order, id, page) },
    'forObject, 5,000 entries': { prepare: () => 1, run: (id) => LogEntry.forObject(Order, id, page) },
    forModel: { prepare: () => 'Model7', run: (name) => LogEntry.forModel(name, page) },
    'forModel, a quiet one': { prepare: () => 'Order', run: (name) => LogEntry.forModel(name, page) },
    'forModel, a rare one': { prepare: () => 'Rare', run: (name) => LogEntry.forModel(name, page) },
    byActor: { prepare: () => some() % 500, run: (id) => LogEntry.byActor(id, page) },
    inRequest: { prepare: () => hash(entry() >> 2), run: (id) => LogEntry.inRequest(id) },
    inTransaction: {
      prepare: () => 1000 + Math.floor(entry() / 3),
      run: (id) => LogEntry.inTransaction(id),
    },
    'between, a day': {
      prepare: () => entry() % (sizes.ENTRIES * 0.9),
      run: (n) => LogEntry.between(timeOf(n), timeOf(n + 1080), page),
    },
    'between, a year': { prepare: () => 0, run: () => LogEntry.between('2025-01-01', '2026-01-01', page) },
    versions: { prepare: some, run: (id) => orders.versions(id, page) },
    'versions, 5,000 of them': { prepare: () => 1, run: (id) => orders.versions(id, page) },
    'an order of today, by findByPk': { prepare: some, run: (id) => Order.findByPk(id), readsAll: true },
    '50 rows of the log by a model of the application': {
      prepare: () => some() % 500,
      run: (id) => Plain.findAll({ where: { actorId: String(id) }, order: [['id', 'DESC']], ...page }),
      readsAll: true,
    },
  };
}

/** One object, the one with many versions, and a page: those whose cost must not grow with the history. */
function ofObjects({ orders }, sizes, mark) {
  const some = picker(sizes.OBJECTS);
  const eachTime = moments(sizes).map(({ name, when }) => {
    const past = orders.asOf(when);
    return {
      [`asOf ${name}: one${mark}`]: { prepare: some, run: (id) => past.findByPk(id), limit: 2 },
      [`asOf ${name}: one of many versions${mark}`]: {
        prepare: () => 1,
        run: (id) => past.findByPk(id),
        limit: 2,
      },
      [`asOf ${name}: page by key${mark}`]: {
        prepare: () => some() >> 1,
        run: (id) => pageBehind(past, id),
        limit: 5,
      },
    };
  });
  return Object.assign({}, ...eachTime);
}

function pageBehind(past, id) {
  return past.findAll({ where: { id: { [Op.gt]: id } }, order: ['id'], ...page });
}

function ofTables({ orders }, sizes) {
  const someone = picker(sizes.CUSTOMERS);
  const eachTime = moments(sizes).map(({ name, when }) => {
    const past = orders.asOf(when);
    const ofCustomer = (customerId) => past.findAll({ where: { customerId }, order: ['id'], ...page });
    return {
      [`asOf ${name}: page by a foreign key`]: { prepare: someone, run: ofCustomer, limit: 5 },
      [`asOf ${name}: count`]: { prepare: nothing, run: () => past.count(), limit: 100, readsAll: true },
    };
  });
  return Object.assign({}, ...eachTime);
}

/** From entries alone, by a handle that has no versions. */
function ofDeltas({ deltas }, sizes) {
  const some = picker(sizes.OBJECTS);
  const eachTime = moments(sizes).map(({ name, when }) => {
    const past = deltas.asOf(when);
    return {
      [`asOf ${name} from deltas: one`]: { prepare: some, run: (id) => past.findByPk(id), limit: 2 },
      [`asOf ${name} from deltas: page by key`]: {
        prepare: () => some() >> 1,
        run: (id) => pageBehind(past, id),
        limit: 30,
        readsAll: true,
      },
    };
  });
  return Object.assign({}, ...eachTime);
}

/** Ordinary queries, now and then. */
function ofTrees({ auditLog, Order }, sizes) {
  const some = picker(sizes.OBJECTS);
  const prepare = () => some() >> 1;
  const read = (id, transaction) =>
    Order.findAll({
      where: { id: { [Op.gt]: id } },
      include: ['buyer', 'items'],
      order: [['id'], ['items', 'id']],
      ...page,
      transaction,
    });
  const now = 'page with two includes, now';
  const eachTime = moments(sizes).map(({ name, when }) => ({
    [`page with two includes, ${name}`]: {
      prepare,
      run: (id) => auditLog.asOf(when, (transaction) => read(id, transaction)),
      explain: (sql) =>
        auditLog.asOf(when, (transaction) => explained(Order.sequelize, sql, { transaction })),
      relativeTo: now,
      limit: 2.5,
      readsAll: true,
    },
  }));
  return Object.assign({ [now]: { prepare, run: (id) => read(id, null), readsAll: true } }, ...eachTime);
}

const UNDONE = 1_000;

/** A transaction of many entries, which is undone at once: updates and creations, so that rows come and go. */
function ofUndo({ auditLog, sequelize, LogEntry, Customer }) {
  const prepare = () =>
    sequelize.transaction(async (transaction) => {
      const name = `imported ${performance.now()}`;
      const rows = Array.from({ length: UNDONE / 2 }, () => ({ name }));
      await Customer.bulkCreate(rows, { transaction });
      await Customer.update({ name: 'corrected' }, { where: { name }, transaction });
      const [newest] = await LogEntry.forModel(Customer, { limit: 1, transaction });
      return newest.transactionId;
    });
  const run = async (id) => {
    const { changes } = await auditLog.revertTransaction(id);
    if (changes.length === 0) throw new Error('nothing was undone');
  };
  const explain = () => ({ 'Node Type': 'many statements' });
  return { 'undo of 1,000 entries': { prepare, run, explain, runs: 5, limit: 5_000, readsAll: true } };
}

/** What EXPLAIN says of a statement that was logged. */
export async function explained(sequelize, sql, options) {
  const text = `explain (analyze, format json) ${sql}`;
  const [{ 'QUERY PLAN': plans }] = await sequelize.query(text, { type: 'SELECT', ...options });
  return plans[0].Plan;
}

/** By name. `limit` is in milliseconds, or times those of the reading that it is relative to; `readsAll` may scan and sort; of `runs`, one is no measurement. */
export function readingsOf(history, sizes) {
  return {
    ...finders(history, sizes),
    ...ofObjects(history, sizes, ''),
    ...ofTables(history, sizes),
    ...ofTrees(history, sizes),
    ...ofDeltas(history, sizes),
    ...ofUndo(history),
  };
}

/** The same on a history of a tenth, where they must not be much quicker. */
export function flatReadingsOf(history, sizes) {
  return ofObjects(history, sizes, ', a tenth');
}
