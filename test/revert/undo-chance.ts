import type { Model, Transaction } from 'sequelize';
import type { Chance } from '../replay/random';
import type { AnyModel, UndoShop } from './undo-shop';

/** One random change; it may fail for what is there already. */
type Act = (shop: UndoShop, chance: Chance, transaction: Transaction) => Promise<unknown>;

async function some(model: AnyModel, chance: Chance, transaction: Transaction): Promise<Model | null> {
  const rows = await model.findAll({ transaction, order: model.primaryKeyAttributes as never });
  return rows.length === 0 ? null : chance.pick(rows);
}

function values(chance: Chance): Record<string, unknown> {
  const all = {
    status: chance.pick(['new', 'paid', 'gone']),
    total: chance.pick([null, '0.10', '99999999.99']),
    meta: chance.pick([null, { a: [1, null, 'ü"\\'] }, ['x'], 'text', 7, { big: { deep: [{}] } }]),
    labels: chance.pick([null, [], ['a,b', 'c"d', '\\', 'NULL', '{}', null]]),
    dueAt: chance.pick([null, new Date(1_700_000_000_000 + chance.below(1e9))]),
    name: `n${chance.below(5)}`,
    code: chance.pick([null, `c${chance.below(4)}`]),
    place: chance.below(8),
    badge: chance.pick([null, `b${chance.below(4)}`]),
    title: chance.pick([null, `t${chance.below(9)}`]),
    quantity: chance.pick([null, '9007199254740993', '-1']),
  };
  return Object.fromEntries(Object.entries(all).filter(() => chance.happens(0.6)));
}

async function references(
  shop: UndoShop,
  chance: Chance,
  transaction: Transaction,
): Promise<Record<string, unknown>> {
  const id = async (model: AnyModel): Promise<unknown> =>
    chance.happens(0.3) ? null : ((await some(model, chance, transaction))?.get('id') ?? null);
  return {
    customerId: await id(shop.Customer),
    favouriteId: await id(shop.Order),
    parentId: await id(shop.Shelf),
    shelfId: await id(shop.Shelf),
  };
}

/** The values that the model has attributes for. */
function fitting(model: AnyModel, given: Record<string, unknown>): Record<string, unknown> {
  const names = new Set(Object.keys(model.getAttributes()));
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
}

function anyModel({ Customer, Order, Item, Shelf, Task, Tag }: UndoShop, chance: Chance): AnyModel {
  return chance.pick([Customer, Order, Item, Shelf, Task, Tag]);
}

const create: Act = async (shop, chance, transaction) => {
  const model = anyModel(shop, chance);
  const order = await some(shop.Order, chance, transaction);
  const key = { orderId: order?.get('id'), line: `l${chance.below(4)}` };
  const given = {
    name: 'n',
    place: chance.below(9),
    ...values(chance),
    ...(await references(shop, chance, transaction)),
    ...key,
  };
  await model.create(fitting(model, given), { transaction });
};

const update: Act = async (shop, chance, transaction) => {
  const model = anyModel(shop, chance);
  const row = await some(model, chance, transaction);
  const given = { ...values(chance), ...(await references(shop, chance, transaction)) };
  await row?.update(fitting(model, given), { transaction });
};

const destroy: Act = async (shop, chance, transaction) => {
  const row = await some(anyModel(shop, chance), chance, transaction);
  await row?.destroy({ transaction, force: chance.happens(0.3) });
};

const restore: Act = async ({ Task }, _chance, transaction) => Task.restore({ where: {}, transaction });

const changeAll: Act = async (shop, chance, transaction) => {
  const model = chance.pick([shop.Order, shop.Customer, shop.Task]);
  await model.update(fitting(model, { status: 'gone', name: 'all', title: 'all' }), {
    where: {},
    transaction,
  });
};

const shift: Act = async ({ Shelf }, chance, transaction) =>
  Shelf.increment('place', { by: chance.pick([1, -1, 50]), where: {}, transaction });

const swap: Act = async ({ Shelf }, _chance, transaction) => {
  const [a, b] = await Shelf.findAll({ transaction, limit: 2, order: ['id'] });
  if (!a || !b) return;
  const [first, second] = [a.get('place') as number, b.get('place') as number];
  await a.update({ place: -1000 }, { transaction });
  await b.update({ place: first }, { transaction });
  await a.update({ place: second }, { transaction });
};

const move: Act = async ({ Order }, chance, transaction) => {
  const row = await some(Order, chance, transaction);
  const where = { id: (row?.get('id') as number | undefined) ?? 0 };
  await Order.update({ id: 10_000 + chance.below(1000) }, { where, transaction });
};

const reuse: Act = async ({ Tag }, chance, transaction) => {
  const tag = await some(Tag, chance, transaction);
  if (!tag) return;
  await tag.destroy({ transaction });
  await Tag.create({ id: tag.get('id'), name: 'again' }, { transaction });
};

const link: Act = async ({ Order, Tag }, chance, transaction) => {
  const order = (await some(Order, chance, transaction)) as unknown as {
    setTags(tags: unknown[], options: object): Promise<void>;
  } | null;
  const tags = await Tag.findAll({ transaction });
  await order?.setTags(
    tags.filter(() => chance.happens(0.5)),
    { transaction },
  );
};

const ACTS = [
  [6, create],
  [4, update],
  [3, destroy],
  [1, restore],
  [1, changeAll],
  [1, shift],
  [1, swap],
  [1, move],
  [1, reuse],
  [2, link],
] as const;

/** Some random changes in one transaction; those that fail leave nothing behind. */
export async function randomChanges(shop: UndoShop, chance: Chance, transaction: Transaction): Promise<void> {
  const { sequelize } = transaction as unknown as { sequelize: NonNullable<AnyModel['sequelize']> };
  for (let left = 1 + chance.below(8); left > 0; left -= 1) {
    const act = chance.weighed(ACTS);
    await sequelize
      .transaction({ transaction }, (nested) => act(shop, chance, nested))
      .catch(() => undefined);
  }
}
