import { Transaction } from 'sequelize';
import { shop, stock } from './shop';
import { equivalence } from './support/equivalence';

const tested = equivalence(shop);
const modes = ['autocommit'] as const;

tested.test({
  'an unmanaged transaction that commits': {
    modes,
    entries: 2,
    run: async ({ sequelize, Maker }) => {
      const transaction = await sequelize.transaction();
      const maker = await Maker.create({ name: 'a' }, { transaction });
      await maker.update({ name: 'b' }, { transaction });
      await transaction.commit();
      return maker;
    },
  },
  'an unmanaged transaction that rolls back': {
    modes,
    entries: 0,
    run: async ({ sequelize, Maker }) => {
      const transaction = await sequelize.transaction();
      const maker = await Maker.create({ name: 'a' }, { transaction });
      await transaction.rollback();
      return [maker, await Maker.count()];
    },
  },
  'a managed transaction that throws': {
    throws: 'RangeError',
    modes,
    run: ({ sequelize, Maker }) =>
      sequelize.transaction(async (transaction) => {
        await Maker.create({ name: 'a' }, { transaction });
        throw new RangeError('on purpose');
      }),
  },
  'writes after an error in a transaction': {
    modes,
    prepare: stock,
    entries: 0,
    run: async ({ sequelize, Product }) => {
      const transaction = await sequelize.transaction();
      const failures: unknown[] = [];
      const note = (error: unknown): number => failures.push(error);
      await Product.create({ name: 'twin', sku: 'L' }, { transaction }).catch(note);
      await Product.create({ name: 'other' }, { transaction }).catch(note);
      await Product.update({ price: '1' }, { where: { id: 1 }, transaction }).catch(note);
      await Product.destroy({ where: { id: 3 }, transaction }).catch(note);
      await Product.increment('price', { where: {}, transaction }).catch(note);
      await Product.truncate({ cascade: true, transaction }).catch(note);
      await Product.bulkCreate([{ name: 'x' }], { transaction }).catch(note);
      await Product.upsert({ name: 'x' }, { transaction }).catch(note);
      await Product.findOrCreate({ where: { name: 'x' }, transaction }).catch(note);
      await Product.findAll({ transaction }).catch(note);
      await transaction.commit();
      return [failures, await Product.count()];
    },
  },
  'a savepoint that rolls back': {
    modes,
    entries: 1,
    run: ({ sequelize, Maker }) =>
      sequelize.transaction(async (transaction) => {
        const inner = sequelize.transaction({ transaction }, async (savepoint) => {
          await Maker.create({ name: 'inner' }, { transaction: savepoint });
          throw new RangeError('on purpose');
        });
        const failure = await inner.catch((error: Error) => error.message);
        return [failure, await Maker.create({ name: 'outer' }, { transaction })];
      }),
  },
  'a write that hooks follow after the commit': {
    modes,
    entries: 2,
    run: async ({ sequelize, Maker }) => {
      const order: string[] = [];
      await sequelize.transaction(async (transaction) => {
        transaction.afterCommit(() => void order.push('after commit'));
        await Maker.create({ name: 'a' }, { transaction });
        order.push('created');
        await Maker.create({ name: 'b' }, { transaction });
      });
      return order;
    },
  },
  'a read-only transaction': {
    throws: 'SequelizeDatabaseError',
    modes,
    run: ({ sequelize, Maker }) =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query('set transaction read only', { transaction });
        return Maker.create({ name: 'a' }, { transaction });
      }),
  },
  'a serialization failure': {
    throws: 'SequelizeDatabaseError',
    modes,
    prepare: stock,
    run: ({ sequelize, database, Maker }) =>
      sequelize.transaction(
        { isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ },
        async (transaction) => {
          await Maker.findAll({ transaction });
          await database.admin.query(`update "Makers" set name = 'meanwhile' where id = 1`);
          return Maker.update({ name: 'mine' }, { where: { id: 1 }, transaction });
        },
      ),
  },
  'a serialization failure of a destroy': {
    throws: 'SequelizeDatabaseError',
    modes,
    prepare: stock,
    run: ({ sequelize, database, Product }) =>
      sequelize.transaction(
        { isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ },
        async (transaction) => {
          await Product.findAll({ transaction });
          await database.admin.query(`update "Products" set name = 'meanwhile' where id = 1`);
          return Product.destroy({ where: { id: 1 }, transaction });
        },
      ),
  },
  'a lock timeout': {
    throws: 'SequelizeDatabaseError',
    modes,
    prepare: stock,
    run: async ({ sequelize, database, Review }) => {
      await database.admin.query('begin; lock table "Reviews" in exclusive mode');
      const waiting = sequelize.transaction(async (transaction) => {
        await sequelize.query(`set local lock_timeout = '50ms'`, { transaction });
        return Review.update({ stars: 2 }, { where: { id: 1 }, transaction });
      });
      return waiting.finally(() => database.admin.query('rollback'));
    },
  },
  'a statement timeout': {
    throws: 'SequelizeDatabaseError',
    modes,
    prepare: stock,
    run: ({ sequelize, Review }) =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query(`set local statement_timeout = '50ms'`, { transaction });
        return Review.update(
          { name: sequelize.literal('pg_sleep(1)::text') },
          { where: { id: 1 }, transaction },
        );
      }),
  },
  'a lock taken by a read, then an update': {
    modes,
    prepare: stock,
    run: ({ sequelize, Maker }) =>
      sequelize.transaction(async (transaction) => {
        const maker = await Maker.findByPk(1, {
          lock: transaction.LOCK.UPDATE,
          transaction,
          rejectOnEmpty: true,
        });
        return maker.update({ name: 'locked' }, { transaction });
      }),
  },
  'raw writes': {
    modes,
    prepare: stock,
    entries: 3,
    run: async ({ sequelize }) => [
      await sequelize.query(
        `insert into "Tags" (name, "createdAt", "updatedAt") values ('raw', '2026-01-01', '2026-01-01') returning id, name`,
      ),
      await sequelize.query(`update "Tags" set name = :name where id = 1`, {
        replacements: { name: `it's` },
      }),
      await sequelize.query('delete from "Reviews" where id = $1', { bind: [1] }),
    ],
  },
  'raw writes of a type': {
    modes,
    prepare: stock,
    entries: 3,
    run: async ({ sequelize }) => [
      await sequelize.query(
        `insert into "Tags" (name, "createdAt", "updatedAt") values ('raw', '2026-01-01', '2026-01-01') returning id`,
        { type: 'INSERT' } as never,
      ),
      await sequelize.query(`update "Tags" set name = 'x' where id = 1`, { type: 'UPDATE' } as never),
      await sequelize.query('delete from "Reviews" where id = 1', { type: 'DELETE' } as never),
    ],
  },
  'raw writes that fail': {
    throws: 'SequelizeUniqueConstraintError',
    modes,
    prepare: stock,
    run: ({ sequelize }) => sequelize.query(`update "Products" set sku = 'same'`),
  },
  'several raw statements in one text': {
    modes,
    prepare: stock,
    entries: 0,
    run: ({ sequelize }) => sequelize.query('select 1 as one; select 2 as two'),
  },
});
