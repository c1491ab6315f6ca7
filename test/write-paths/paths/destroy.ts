import { Op, literal, type Model } from 'sequelize';
import { path, pathOver, type Bench, type CallOptions, type WritePath } from '../path';
import type { Models } from '../models';

type Rows = readonly [Model, Model, Model];

async function accounts({ models }: Bench): Promise<Rows> {
  const rows = await models.Account.bulkCreate([
    { name: 'a', age: 1, meta: { x: 1 }, password: 'p' },
    { name: 'b', age: 2 },
    { name: `c'"$1`, age: 2 },
  ]);
  return rows as unknown as Rows;
}

async function papers({ models }: Bench): Promise<Rows> {
  const rows = await models.Paper.bulkCreate([{ title: 'a' }, { title: 'b' }, { title: 'c', body: 'x' }]);
  return rows as unknown as Rows;
}

/** Three papers, of which the first is soft-deleted. */
async function papersOneGone(bench: Bench): Promise<Rows> {
  const rows = await papers(bench);
  await rows[0].destroy();
  return rows;
}

function over(
  arrange: (bench: Bench) => Promise<Rows>,
  name: string,
  entries: number,
  act: (models: Models, options: CallOptions, rows: Rows) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, arrange, ({ models }, options, rows) => act(models, options, rows));
}

const HARD: readonly WritePath[] = [
  over(accounts, 'destroy', 1, (_models, options, [first]) => first.destroy(options)),
  over(accounts, 'destroy without hooks', 1, (_models, options, [first]) =>
    first.destroy({ ...options, hooks: false }),
  ),
  over(accounts, 'destroy twice', 1, async (_models, options, [first]) => {
    await first.destroy(options);
    await first.destroy(options);
  }),
  over(accounts, 'Model.destroy', 2, ({ Account }, options) =>
    Account.destroy({ ...options, where: { age: 2 } }),
  ),
  over(accounts, 'Model.destroy of all rows', 3, ({ Account }, options) =>
    Account.destroy({ ...options, where: {} }),
  ),
  over(accounts, 'Model.destroy of no row', 0, ({ Account }, options) =>
    Account.destroy({ ...options, where: { age: 9 } }),
  ),
  over(accounts, 'Model.destroy with limit', 2, ({ Account }, options) =>
    Account.destroy({ ...options, where: {}, limit: 2 }),
  ),
  over(accounts, 'Model.destroy with limit of one', 1, ({ Account }, options) =>
    Account.destroy({ ...options, where: { age: 2 }, limit: 1 }),
  ),
  over(accounts, 'Model.destroy with individualHooks', 2, ({ Account }, options) =>
    Account.destroy({ ...options, where: { age: 2 }, individualHooks: true }),
  ),
  over(accounts, 'Model.destroy without hooks', 2, ({ Account }, options) =>
    Account.destroy({ ...options, where: { age: 2 }, hooks: false }),
  ),
  over(accounts, 'Model.destroy where a column is listed', 2, ({ Account }, options) =>
    Account.destroy({ ...options, where: { name: ['a', `c'"$1`] } }),
  ),
  over(accounts, 'Model.destroy where a subquery is given', 1, ({ Account }, options) =>
    Account.destroy({ ...options, where: { id: { [Op.in]: literal('(select min(id) from "Accounts")') } } }),
  ),
  over(accounts, 'Model.destroy through a scope', 2, ({ Account }, options) =>
    Account.scope({ method: ['aged', 2] }).destroy({ ...options, where: {} }),
  ),
  over(accounts, 'destroy and create with the same key', 2, async ({ Account }, options, [first]) => {
    const id = first.get('id') as number;
    await first.destroy(options);
    await Account.create({ id, name: 'again', age: 7 }, options);
  }),
  path('create and destroy', 2, async ({ models }, options) => {
    const account = await models.Account.create({ name: 'short-lived' }, options);
    await account.destroy(options);
  }),
];

const SOFT: readonly WritePath[] = [
  over(papers, 'soft destroy', 1, (_models, options, [first]) => first.destroy(options)),
  over(papers, 'soft destroy with other changes', 1, (_models, options, [first]) =>
    first.set('body', 'z').destroy(options),
  ),
  over(papers, 'soft Model.destroy', 2, ({ Paper }, options) =>
    Paper.destroy({ ...options, where: { title: ['a', 'b'] } }),
  ),
  over(papers, 'soft Model.destroy with individualHooks', 2, ({ Paper }, options) =>
    Paper.destroy({ ...options, where: { title: ['a', 'b'] }, individualHooks: true }),
  ),
  over(papersOneGone, 'soft Model.destroy of rows of which one is gone', 2, ({ Paper }, options) =>
    Paper.destroy({ ...options, where: {} }),
  ),
  over(papers, 'hard destroy of a paranoid row', 1, (_models, options, [first]) =>
    first.destroy({ ...options, force: true }),
  ),
  over(papersOneGone, 'hard destroy after a soft one', 1, (_models, options, [first]) =>
    first.destroy({ ...options, force: true }),
  ),
  over(papersOneGone, 'soft destroy after a soft one', 0, (_models, options, [first]) =>
    first.destroy(options),
  ),
  over(papersOneGone, 'hard Model.destroy of soft-deleted and other rows', 3, ({ Paper }, options) =>
    Paper.destroy({ ...options, where: {}, force: true }),
  ),
  over(papersOneGone, 'soft destroy of a loaded soft-deleted instance', 0, async ({ Paper }, options) => {
    const paper = await Paper.findOne({ where: { title: 'a' }, paranoid: false, ...options });
    await paper?.destroy(options);
  }),
  over(papersOneGone, 'restore of a loaded instance', 1, async ({ Paper }, options) => {
    const paper = await Paper.findOne({ where: { title: 'a' }, paranoid: false, ...options });
    await paper?.restore(options);
  }),
  over(papers, 'restore of a loaded instance that is not deleted', 0, async ({ Paper }, options) => {
    const paper = await Paper.findOne({ where: { title: 'a' }, ...options });
    await paper?.restore(options);
  }),
  over(papers, 'soft and hard destroy', 2, async (_models, options, [first]) => {
    await first.destroy(options);
    await first.destroy({ ...options, force: true });
  }),
  pathOver(
    'soft destroy with columns of other names',
    1,
    ({ models }) => models.Draft.create({ title: 'a' }),
    (_bench, options, draft) => draft.destroy(options),
  ),
  over(papersOneGone, 'restore', 1, (_models, options, [first]) => first.restore(options)),
  over(papers, 'restore of a row that is not deleted', 0, (_models, options, [first]) =>
    first.restore(options),
  ),
  over(papersOneGone, 'Model.restore', 1, ({ Paper }, options) =>
    Paper.restore({ ...options, where: { title: 'a' } }),
  ),
  over(papersOneGone, 'Model.restore of rows of which some are not deleted', 1, ({ Paper }, options) =>
    Paper.restore({ ...options, where: {} }),
  ),
  over(papers, 'Model.restore of rows none of which is deleted', 0, ({ Paper }, options) =>
    Paper.restore({ ...options, where: {} }),
  ),
  over(papersOneGone, 'Model.restore with individualHooks', 1, ({ Paper }, options) =>
    Paper.restore({ ...options, where: { title: 'a' }, individualHooks: true }),
  ),
  over(papers, 'soft destroy and restore', 2, async (_models, options, [first]) => {
    await first.destroy(options);
    await first.restore(options);
  }),
];

const TRUNCATE: readonly WritePath[] = [
  over(papersOneGone, 'truncate of a paranoid model, a soft destroy', 2, ({ Paper }, options) =>
    Paper.truncate(options),
  ),
  over(papersOneGone, 'truncate by force', 3, ({ Paper }, options) =>
    Paper.truncate({ ...options, force: true }),
  ),
  pathOver(
    'truncate',
    2,
    ({ models }) => models.Device.bulkCreate([{ model: 'x' }, { model: 'y' }]),
    ({ models }, options) => models.Device.truncate(options),
  ),
  path('truncate of an empty table', 0, ({ models }, options) => models.Device.truncate(options)),
  pathOver(
    'Model.destroy with truncate',
    2,
    ({ models }) => models.Device.bulkCreate([{ model: 'x' }, { model: 'y' }]),
    ({ models }, options) => models.Device.destroy({ ...options, truncate: true }),
  ),
  pathOver(
    'truncate that restarts the identity',
    3,
    ({ models }) =>
      models.Event.bulkCreate([
        { id: 1, what: 'x' },
        { id: 2, what: 'y' },
      ]),
    async ({ models }, options) => {
      await models.Event.truncate({ ...options, restartIdentity: true });
      await models.Event.create({ id: 3, what: 'after' }, options);
    },
  ),
  pathOver(
    'truncate with cascade',
    4,
    async ({ models }) => {
      const order = await models.Order.create({ number: '1' });
      const item = await models.Item.create({ name: 'i', orderId: order.get('id') });
      await models.Part.create({ name: 'p', itemId: item.get('id') });
      await models.Memo.create({ text: 'm', orderId: order.get('id') });
    },
    ({ models }, options) => models.Order.truncate({ ...options, cascade: true }),
  ),
  pathOver(
    'truncate with cascade of a model with links',
    2,
    async ({ models }) => {
      const [tag, post] = [await models.Tag.create({ name: 't' }), await models.Post.create({ title: 'p' })];
      await (post as unknown as { addTag(tag: Model): Promise<void> }).addTag(tag);
      await models.Post.create({ title: 'q' });
    },
    ({ models }, options) => models.Post.truncate({ ...options, cascade: true }),
  ),
  pathOver(
    'truncate of every model',
    5,
    async ({ models }) => {
      await models.Device.bulkCreate([{ model: 'x' }, { model: 'y' }]);
      const account = await models.Account.create({ name: 'a' });
      await models.Profile.create({ motto: 'm', accountId: account.get('id') });
      await models.Paper.create({ title: 'a' });
      await models.Scrap.create({ text: 'unregistered' });
    },
    ({ sequelize }, options) => sequelize.truncate({ ...options, cascade: true }),
  ),
];

export const DESTROY_PATHS = [...HARD, ...SOFT, ...TRUNCATE];
