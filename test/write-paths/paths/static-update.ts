import { col, fn, literal, Op, where, type Model } from 'sequelize';
import { pathOver, type Bench, type CallOptions, type WritePath } from '../path';
import type { AnyModel } from '../models';

function four({ models }: Bench): Promise<Model[]> {
  return models.Account.bulkCreate([
    { name: 'a', age: 1, status: 'open', meta: { kind: 'x' } },
    { name: 'b', age: 2, status: 'open', score: 2 },
    { name: 'c', age: 2, status: 'closed', tags: ['t'] },
    { name: `d'"\\ $1 ? :x`, age: null, balance: '7.5' },
  ]);
}

function over(
  name: string,
  entries: number,
  act: (Account: AnyModel, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, four, (bench, options) => act(bench.models.Account, options, bench));
}

export const STATIC_UPDATE_PATHS: readonly WritePath[] = [
  over('Model.update', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { status: 'open' } }),
  ),
  over('Model.update of all rows', 4, (Account, options) =>
    Account.update({ score: 9 }, { ...options, where: {} }),
  ),
  over('Model.update of no row', 0, (Account, options) =>
    Account.update({ age: 9 }, { ...options, where: { name: 'z' } }),
  ),
  over('Model.update of which some change nothing', 2, (Account, options) =>
    Account.update({ age: 2 }, { ...options, where: {} }),
  ),
  over('Model.update with returning', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, returning: true }),
  ),
  over('Model.update with some columns returned', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, returning: ['id', 'name'] }),
  ),
  over('Model.update with fields', 2, (Account, options) =>
    Account.update({ name: 'n', age: 5 }, { ...options, where: { age: 2 }, fields: ['age'] }),
  ),
  over('Model.update without hooks', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, hooks: false }),
  ),
  over('Model.update with individualHooks', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, individualHooks: true }),
  ),
  over('Model.update with individualHooks that add values', 2, (Account, options) =>
    Account.update({ name: 'n' }, {
      ...options,
      where: { age: 2 },
      individualHooks: true,
      hooked: true,
    } as never),
  ),
  over('Model.update that is silent', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, silent: true }),
  ),
  over('Model.update without validation and side effects', 2, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: 2 }, validate: false, sideEffects: false }),
  ),
  over('Model.update with literal', 3, (Account, options) =>
    Account.update({ age: literal('"age" + 1') }, { ...options, where: {} }),
  ),
  over('Model.update with fn and col', 4, (Account, options) =>
    Account.update({ code: fn('concat', col('name'), '-', col('id')) }, { ...options, where: {} }),
  ),
  over('Model.update with a subquery', 4, (Account, options) =>
    Account.update({ age: literal('(select max(age) + 10 from "Accounts")') }, { ...options, where: {} }),
  ),
  over('Model.update where a column is listed', 3, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: { age: [1, 2, 3] } }),
  ),
  over('Model.update where operators are nested', 2, (Account, options) =>
    Account.update(
      { name: 'n' },
      {
        ...options,
        where: { [Op.or]: [{ age: { [Op.gt]: 1 }, status: 'open' }, { name: { [Op.like]: 'd%' } }] },
      },
    ),
  ),
  over('Model.update where a text is full of signs', 1, (Account, options) =>
    Account.update({ name: `e'"\\ $2 ? :y` }, { ...options, where: { name: `d'"\\ $1 ? :x` } }),
  ),
  over('Model.update where a JSON path is given', 1, (Account, options) =>
    Account.update({ meta: { kind: 'y' } }, { ...options, where: { 'meta.kind': 'x' } }),
  ),
  over('Model.update where a function and a literal are given', 1, (Account, options) =>
    Account.update(
      { age: 50 },
      { ...options, where: { [Op.and]: [where(fn('lower', col('name')), 'a'), literal('"age" = 1')] } },
    ),
  ),
  over('Model.update where a subquery is given', 2, (Account, options) =>
    Account.update(
      { name: 'n' },
      { ...options, where: { id: { [Op.in]: literal('(select id from "Accounts" where age = 2)') } } },
    ),
  ),
  over('Model.update with limit, which Sequelize ignores', 4, (Account, options) =>
    Account.update({ name: 'n' }, { ...options, where: {}, limit: 1 }),
  ),
  over('Model.update through a scope', 2, (Account, options) =>
    Account.scope('open').update({ name: 'n' }, { ...options, where: {} }),
  ),
  over('Model.update through a scope with arguments', 2, (Account, options) =>
    Account.scope({ method: ['aged', 2] }).update({ name: 'n' }, { ...options, where: {} }),
  ),
  over('Model.update through unscoped', 1, (Account, options) =>
    Account.unscoped().update({ name: 'n' }, { ...options, where: { age: 1 } }),
  ),
  over('Model.update of masked and excluded attributes', 4, (Account, options) =>
    Account.update({ password: 'p', internal: 'i' }, { ...options, where: {} }),
  ),
  over('Model.update to null', 2, (Account, options) =>
    Account.update({ status: null }, { ...options, where: { status: 'open' } }),
  ),
  pathOver(
    'Model.update of soft-deleted rows',
    1,
    async ({ models }) => {
      await models.Paper.bulkCreate([{ title: 'a' }, { title: 'b' }]);
      await models.Paper.destroy({ where: { title: 'a' } });
    },
    ({ models }, options) =>
      models.Paper.update({ body: 'n' }, { ...options, where: { title: 'a' }, paranoid: false }),
  ),
  pathOver(
    'Model.update that leaves soft-deleted rows alone',
    1,
    async ({ models }) => {
      await models.Paper.bulkCreate([{ title: 'a' }, { title: 'b' }]);
      await models.Paper.destroy({ where: { title: 'a' } });
    },
    ({ models }, options) => models.Paper.update({ body: 'n' }, { ...options, where: {} }),
  ),
  pathOver(
    'Model.update of deletedAt itself',
    2,
    ({ models }) => models.Paper.bulkCreate([{ title: 'a' }, { title: 'b' }]),
    ({ models }, options) =>
      models.Paper.update({ deletedAt: new Date(), body: 'gone' }, { ...options, where: {} }),
  ),
  pathOver(
    'Model.update of mapped columns under optimistic locking',
    2,
    ({ models }) =>
      models.Ledger.bulkCreate([
        { entryName: 'a', order: 1 },
        { entryName: 'b', order: 1 },
      ]),
    ({ models }, options) =>
      models.Ledger.update({ entryName: 'c', pinToken: 'x' }, { ...options, where: { order: 1 } }),
  ),
  pathOver(
    'Model.update of 200 rows',
    200,
    ({ models }) =>
      models.Account.bulkCreate(Array.from({ length: 200 }, (_, at) => ({ name: `n${at}`, age: at }))),
    ({ models }, options) => models.Account.update({ age: literal('age + 1000') }, { ...options, where: {} }),
  ),
];
