import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { equivalence } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

interface World {
  readonly Account: ModelStatic<Model>;
}

function define(sequelize: Sequelize, recorder: Recorder): { Account: ModelStatic<Model> } {
  const attributes = { owner: DataTypes.STRING, amount: DataTypes.DECIMAL(12, 2) };
  const options = {
    version: true,
    underscored: true,
    paranoid: true,
    hooks: recorder.hooksFor('definition'),
  };
  return { Account: sequelize.define('Account', attributes, options) };
}

const tested = equivalence({ define });

const prepare = ({ Account }: World): Promise<unknown> =>
  Account.bulkCreate([
    { owner: 'a', amount: '1.00' },
    { owner: 'b', amount: '2.00' },
  ]);
const first = ({ Account }: World, tx: object): Promise<Model> =>
  Account.findByPk(1, { ...tx, rejectOnEmpty: true });

tested.test({
  'update of the version that was read': {
    prepare,
    run: async (world) => (await first(world, world.tx)).update({ amount: '5.00' }, { ...world.tx }),
  },
  'two updates, one after the other': {
    prepare,
    entries: 2,
    run: async (world) => {
      const account = await first(world, world.tx);
      await account.update({ amount: '5.00' }, { ...world.tx });
      return account.update({ amount: '6.00' }, { ...world.tx });
    },
  },
  'update of an outdated version': {
    throws: 'SequelizeOptimisticLockError',
    prepare,
    run: async (world) => {
      const account = await first(world, world.tx);
      await world.database.admin.query('update accounts set version = 3');
      return account.update({ amount: '5.00' }, { ...world.tx });
    },
  },
  'update of an outdated version with returning': {
    throws: 'SequelizeOptimisticLockError',
    prepare,
    run: async (world) => {
      const account = await first(world, world.tx);
      await world.database.admin.query('update accounts set version = 3');
      return account.update({ amount: '5.00' }, { ...world.tx, returning: true });
    },
  },
  'update of a versioned row that is gone': {
    throws: 'SequelizeOptimisticLockError',
    prepare,
    run: async (world) => {
      const account = await first(world, world.tx);
      await world.database.admin.query('delete from accounts');
      return account.update({ amount: '5.00' }, { ...world.tx });
    },
  },
  'update of an outdated version, then use of the instance': {
    prepare,
    run: async (world) => {
      const account = await first(world, world.tx);
      await world.database.admin.query('update accounts set version = 3');
      const failure = await account
        .update({ amount: '5.00' }, { ...world.tx })
        .catch((error: Error) => error.name);
      return [failure, account, await account.reload({ ...world.tx })];
    },
    entries: 0,
  },
  'create of a versioned row': { run: ({ Account, tx }) => Account.create({ owner: 'c' }, { ...tx }) },
  'static update of versioned rows': {
    prepare,
    entries: 2,
    run: ({ Account, tx }) => Account.update({ amount: '9.00' }, { ...tx, where: {} }),
  },
  'increment of a versioned row': {
    prepare,
    run: async (world) => (await first(world, world.tx)).increment('amount', { ...world.tx, by: 2 }),
  },
  'upsert of a versioned row': {
    prepare,
    run: ({ Account, tx }) => Account.upsert({ id: 1, owner: 'z' }, { ...tx }),
  },
  'soft destroy of a versioned row': {
    prepare,
    run: async (world) => (await first(world, world.tx)).destroy({ ...world.tx }),
  },
  'forced destroy of a versioned row': {
    prepare,
    run: async (world) => (await first(world, world.tx)).destroy({ ...world.tx, force: true }),
  },
});
