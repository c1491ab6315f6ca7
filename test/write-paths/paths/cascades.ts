import type { Model } from 'sequelize';
import { pathOver, type Bench, type CallOptions, type WritePath } from '../path';

interface Family {
  readonly order: Model;
  readonly item: Model;
}

/** Two orders; the first has two items, one of which has two parts, and a memo. */
async function family({ models }: Bench): Promise<Family> {
  const orders = await models.Order.bulkCreate([{ number: '1' }, { number: '2' }]);
  const orderId = orders[0]?.get('id');
  const items = await models.Item.bulkCreate([
    { name: 'i', orderId },
    { name: 'j', orderId },
    { name: 'k', orderId: orders[1]?.get('id') },
  ]);
  const itemId = items[0]?.get('id');
  await models.Part.bulkCreate([
    { name: 'p', itemId },
    { name: 'q', itemId },
  ]);
  await models.Memo.bulkCreate([{ text: 'm', orderId }, { text: 'free' }]);
  return { order: orders[0] as Model, item: items[0] as Model };
}

function over(
  name: string,
  entries: number,
  act: (given: Family, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, family, (bench, options, given) => act(given, options, bench));
}

export const CASCADE_PATHS: readonly WritePath[] = [
  over('destroy that cascades two levels and sets null', 6, ({ order }, options) => order.destroy(options)),
  over('destroy that cascades one level', 3, ({ item }, options) => item.destroy(options)),
  over('Model.destroy that cascades', 8, (_given, options, { models }) =>
    models.Order.destroy({ ...options, where: {} }),
  ),
  over('Model.destroy with limit that cascades', 6, ({ order }, options, { models }) =>
    models.Order.destroy({ ...options, where: { id: order.get('id') as number }, limit: 1 }),
  ),
  over('Model.destroy with individualHooks that cascades', 8, (_given, options, { models }) =>
    models.Order.destroy({ ...options, where: {}, individualHooks: true }),
  ),
  over('Model.destroy of no row that would cascade', 0, (_given, options, { models }) =>
    models.Order.destroy({ ...options, where: { number: 'none' } }),
  ),
  pathOver(
    'destroy that cascades within its own table',
    4,
    async ({ models: { Category } }) => {
      const root = await Category.create({ name: 'root' });
      const child = await Category.create({ name: 'child', parentId: root.get('id') });
      await Category.bulkCreate([
        { name: 'x', parentId: child.get('id') },
        { name: 'y', parentId: child.get('id') },
      ]);
      await Category.create({ name: 'other' });
      return root;
    },
    (_bench, options, root) => root.destroy(options),
  ),
  pathOver(
    'Model.destroy of rows that cascade to each other',
    3,
    async ({ models: { Category } }) => {
      const root = await Category.create({ name: 'root' });
      const child = await Category.create({ name: 'child', parentId: root.get('id') });
      await Category.create({ name: 'x', parentId: child.get('id') });
    },
    ({ models }, options) => models.Category.destroy({ ...options, where: {} }),
  ),
  pathOver(
    'destroy with an association that has hooks',
    3,
    async ({ models }) => {
      const team = await models.Team.create({ name: 't' });
      await models.Player.bulkCreate([
        { name: 'p', teamId: team.get('id') },
        { name: 'q', teamId: team.get('id') },
      ]);
      return team;
    },
    (_bench, options, team) => team.destroy(options),
  ),
  pathOver(
    'Model.destroy with an association that has hooks',
    3,
    async ({ models }) => {
      const team = await models.Team.create({ name: 't' });
      await models.Player.bulkCreate([
        { name: 'p', teamId: team.get('id') },
        { name: 'q', teamId: team.get('id') },
      ]);
    },
    ({ models }, options) => models.Team.destroy({ ...options, where: {} }),
  ),
  pathOver(
    'destroy that sets several references null',
    4,
    async ({ models }) => {
      const account = await models.Account.create({ name: 'a' });
      await models.Profile.create({ motto: 'm', accountId: account.get('id') });
      await models.Post.bulkCreate([
        { title: 'p', authorId: account.get('id') },
        { title: 'q', authorId: account.get('id') },
        { title: 'r' },
      ]);
      return account;
    },
    (_bench, options, account) => account.destroy(options),
  ),
];
