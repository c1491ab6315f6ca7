// A long log, written as an application writes it: by audited statements of Sequelize over whole tables.
import { DataTypes, literal, Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { orderAttributes, orderValues } from './table.mjs';

const SCHEMA = 'retention';
/** Entries of one object. */
const WRITES = 50;
const CHUNK = 1000;

/** A connection that the sampler knows by its name. */
export function connect(name) {
  const sequelize = new Sequelize(process.env.DATABASE_URL, {
    logging: false,
    dialectOptions: { application_name: name, options: `-c search_path=${SCHEMA}` },
  });
  const Order = sequelize.define('Order', orderAttributes(), { tableName: 'orders' });
  const Customer = sequelize.define(
    'Customer',
    { name: DataTypes.TEXT, city: DataTypes.TEXT, visits: DataTypes.INTEGER },
    { tableName: 'customers' },
  );
  const Item = sequelize.define(
    'Item',
    { sku: DataTypes.TEXT, quantity: DataTypes.INTEGER },
    { tableName: 'items' },
  );
  const auditLog = createAuditLog(sequelize);
  for (const model of [Order, Customer, Item]) auditLog.registerAudited(model, { snapshots: true });
  return { sequelize, auditLog, Order, Customer, Item };
}

const SUBJECTS = [
  { name: 'Order', values: orderValues, column: 'quantity' },
  {
    name: 'Customer',
    values: (n) => ({ name: `customer ${n}`, city: 'Ghent', visits: 0 }),
    column: 'visits',
  },
  { name: 'Item', values: (n) => ({ sku: `sku ${n % 100}`, quantity: 1 }), column: 'quantity' },
];

async function createAll(model, values, count) {
  for (let from = 1; from <= count; from += CHUNK) {
    const size = Math.min(CHUNK, count - from + 1);
    await model.bulkCreate(Array.from({ length: size }, (_, at) => values(from + at)));
  }
}

/** Fills the log; a time behind each `part` of it, in its order. @param told called after each round */
export async function fill(world, entries, told) {
  const { sequelize, auditLog } = world;
  await sequelize.query(`drop schema if exists ${SCHEMA} cascade`);
  await sequelize.query(`create schema ${SCHEMA}`);
  await sequelize.sync();
  await auditLog.sync();
  const objects = Math.round(entries / WRITES / SUBJECTS.length);
  const times = [];
  for (let round = 1; round <= WRITES; round += 1) {
    for (const { name, values, column } of SUBJECTS) {
      const model = world[name];
      if (round === 1) await createAll(model, values, objects);
      else await model.update({ [column]: literal(`"${column}" + 1`) }, { where: {} });
    }
    times.push(await now(sequelize));
    told(round / WRITES);
  }
  for (const table of ['audit_log_entries', 'orders_history', 'customers_history', 'items_history'])
    await sequelize.query(`vacuum (analyze) ${table}`);
  const { n } = await sequelize.query('select count(*)::int as n from audit_log_entries', {
    plain: true,
    type: 'SELECT',
  });
  return { entries: n, behind: (part) => times[Math.round(part * WRITES) - 1] };
}

/** A time that no entry has. */
async function now(sequelize) {
  const sql = `select clock_timestamp() + interval '1 millisecond' as now, pg_sleep(0.002)`;
  return (await sequelize.query(sql, { plain: true, type: 'SELECT' })).now;
}
