import type { Options } from 'sequelize';
import { ada, people } from './person';
import { shop, stock, type Shop } from './shop';
import { equivalence, type Scenarios } from './support/equivalence';

const writes: Scenarios<Shop> = {
  'create, update and destroy': {
    entries: 3,
    run: async ({ Tag, tx }) => {
      const tag = await Tag.create({ name: 'a' }, { ...tx });
      await tag.update({ name: 'b' }, { ...tx });
      await tag.destroy({ ...tx });
      return tag;
    },
  },
  'static writes with returning': {
    prepare: stock,
    entries: 4,
    run: async ({ Review, tx }) => [
      await Review.update({ stars: 2 }, { ...tx, where: { productId: 1 }, returning: true }),
      await Review.increment('stars', { ...tx, where: { id: 1 } }),
      await Review.destroy({ ...tx, where: { id: 1 } }),
    ],
  },
  'upsert, bulkCreate and findOrCreate': {
    prepare: stock,
    entries: 4,
    run: async ({ Product, Maker, tx }) => [
      await Product.upsert({ id: 1, name: 'Lamp 2', price: null }, { ...tx }),
      await Product.bulkCreate([{ name: 'x' }, { name: 'Desk 2', sku: 'D' }], {
        ...tx,
        updateOnDuplicate: ['name'],
        conflictAttributes: ['sku'],
      }),
      await Maker.findOrCreate({ ...tx, where: { name: 'Third' } }),
    ],
  },
  'destroy that cascades': {
    prepare: stock,
    entries: 12,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { id: 1 } }),
  },
  'read with long aliases beside a write': {
    prepare: stock,
    run: async ({ Product, tx }) => {
      await Product.update({ price: '5' }, { ...tx, where: { id: 1 } });
      return Product.findAll({
        ...tx,
        include: [{ association: 'maker', include: [{ association: 'products', include: ['reviews'] }] }],
        where: { id: 1 },
      });
    },
  },
  'create that fails': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: stock,
    run: ({ Product, tx }) => Product.create({ name: 'twin', sku: 'L' }, { ...tx }),
  },
};

const settings: Record<string, Options> = {
  'with minifyAliases': { minifyAliases: true },
  'with omitNull': { omitNull: true },
  'with a benchmark and binds in the log': { benchmark: true, logQueryParameters: true },
  'without standard conforming strings': { standardConformingStrings: false },
  'with a time zone': { timezone: '+05:30' },
  'with typeValidation': { typeValidation: true },
  'with retries': { retry: { max: 2, match: [/never/] } },
};

describe.each(Object.entries(settings))('%s', (_, options) => {
  const tested = equivalence({ ...shop, options });
  test.each(Object.entries(writes))('%s', async (_name, scenario) => {
    const { seen, expected } = await tested.compare(scenario, 'autocommit');
    expect(seen).toStrictEqual(expected);
  });
});

describe('with retries of a duplicate', () => {
  const tested = equivalence({
    ...people,
    options: { retry: { max: 3, match: [/duplicate/, /Validation/], backoffBase: 1 } },
  });
  tested.test({
    'create that fails each time': {
      modes: ['autocommit'],
      throws: 'SequelizeUniqueConstraintError',
      prepare: ({ Person }) => Person.create(ada),
      run: ({ Person, tx }) => Person.create({ name: 'Ann', handle: 'ada' }, { ...tx }),
    },
    'create that succeeds the second time': {
      modes: ['autocommit'],
      prepare: ({ Person }) => Person.create(ada),
      run: async ({ Person, database }) => {
        let tries = 0;
        const clear = async (): Promise<void> => {
          tries += 1;
          if (tries === 2) await database.admin.query('delete from people');
        };
        Person.sequelize?.addHook('beforeQuery', 'clearing', clear);
        const created = Person.create({ name: 'Ann', handle: 'ada' });
        return [await created.finally(() => Person.sequelize?.removeHook('beforeQuery', 'clearing')), tries];
      },
    },
  });
});

describe('without quotes around identifiers', () => {
  const tested = equivalence({
    define: (sequelize) => ({
      Plain: sequelize.define(
        'plain',
        { name: { type: 'text' as never } },
        { underscored: true, freezeTableName: true, timestamps: false },
      ),
    }),
    options: { quoteIdentifiers: false },
  });
  tested.test({
    'writes of every kind': {
      entries: 7,
      run: async ({ Plain, tx }) => [
        await Plain.create({ name: 'a' }, { ...tx }),
        await Plain.bulkCreate([{ name: 'b' }, { name: 'c' }], { ...tx }),
        await Plain.update({ name: 'd' }, { ...tx, where: { name: 'b' } }),
        await Plain.upsert({ id: 1, name: 'e' }, { ...tx }),
        await Plain.findOrCreate({ ...tx, where: { name: 'f' } }),
        await Plain.destroy({ ...tx, where: { name: 'c' } }),
      ],
    },
    'update of a mixed-case name that is not there': {
      throws: 'SequelizeDatabaseError',
      run: ({ Plain, tx }) => Plain.update({ name: 'x' }, { ...tx, where: { noSuch: 1 } }),
    },
  });
});
