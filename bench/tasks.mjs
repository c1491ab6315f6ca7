// What is timed. Each task prepares outside the clock, runs inside it, and leaves the table as small as before.
import { orderValues } from './table.mjs';

const SEQUENTIAL = 40;
const REQUESTS = 10;
const AT_ONCE = 20;
const BULK = 1_000;
const FAMILIES = 10;

let number = 0;
const next = () => orderValues((number += 1));
const many = (count, make) => Array.from({ length: count }, make);

async function eachOf(rows, write) {
  for (const row of rows) await write(row);
}

function createRows({ Order }, count) {
  return Order.bulkCreate(many(count, next), { hooks: false, audit: false });
}

function removeRows({ Order }) {
  return Order.destroy({ where: {}, hooks: false, audit: false });
}

async function request({ sequelize, Order }) {
  await sequelize.transaction(async (transaction) => {
    const order = await Order.create(next(), { transaction });
    await order.update({ status: 'paid', quantity: 3 }, { transaction });
    await order.update({ status: 'shipped', note: 'on its way' }, { transaction });
    await order.update({ discount: '1.00', total: '7.50' }, { transaction });
    await order.destroy({ transaction });
  });
}

async function createThenUpdate({ Order }) {
  const order = await Order.create(next());
  await order.update({ status: 'paid', quantity: 3 });
}

async function families({ Parcel, Item }) {
  const parcels = await Parcel.bulkCreate(
    many(FAMILIES, () => ({ label: 'parcel' })),
    { hooks: false, audit: false },
  );
  const items = parcels.flatMap(({ id }) => many(3, (_, at) => ({ parcelId: id, text: `item ${at}` })));
  await Item.bulkCreate(items, { hooks: false, audit: false });
  return parcels;
}

/** `writes` is how many operations one run is, for the milliseconds of one. */
export const TASKS = {
  create: {
    writes: SEQUENTIAL,
    run: (on) => eachOf(many(SEQUENTIAL, next), (values) => on.Order.create(values)),
  },
  'update of 2 fields': {
    writes: SEQUENTIAL,
    prepare: (on) => createRows(on, SEQUENTIAL),
    run: (_, rows) => eachOf(rows, (row) => row.update({ status: `paid ${number++}`, quantity: number })),
  },
  increment: {
    writes: SEQUENTIAL,
    prepare: (on) => createRows(on, SEQUENTIAL),
    run: (_, rows) => eachOf(rows, (row) => row.increment('quantity', { by: 2 })),
  },
  upsert: {
    writes: SEQUENTIAL,
    prepare: (on) => createRows(on, SEQUENTIAL),
    run: (on, rows) => eachOf(rows, ({ id }) => on.Order.upsert({ ...next(), id })),
  },
  destroy: {
    writes: SEQUENTIAL,
    prepare: (on) => createRows(on, SEQUENTIAL),
    run: (_, rows) => eachOf(rows, (row) => row.destroy()),
  },
  'destroy with 3 children': {
    writes: FAMILIES,
    prepare: families,
    run: (_, parcels) => eachOf(parcels, (parcel) => parcel.destroy()),
  },
  'request transaction': { writes: REQUESTS, run: (on) => eachOf(many(REQUESTS), () => request(on)) },
  '20 at once': {
    writes: 2 * AT_ONCE,
    run: (on) => Promise.all(many(AT_ONCE, () => createThenUpdate(on))),
  },
  'bulkCreate 1000': { writes: 1, run: (on) => on.Order.bulkCreate(many(BULK, next)) },
  'Model.update 1000': {
    writes: 1,
    prepare: (on) => createRows(on, BULK),
    run: (on) => on.Order.update({ status: `paid ${number++}`, quantity: number }, { where: {} }),
  },
  'Model.destroy 1000': {
    writes: 1,
    prepare: (on) => createRows(on, BULK),
    run: (on) => on.Order.destroy({ where: {} }),
  },
};

/** Runs one task once; gives milliseconds per operation. */
export async function timed(name, on) {
  const { prepare, run, writes } = TASKS[name];
  const rows = await prepare?.(on);
  globalThis.gc?.();
  const start = performance.now();
  await on.inContext(() => run(on, rows));
  const milliseconds = performance.now() - start;
  await removeRows(on);
  return milliseconds / writes;
}
