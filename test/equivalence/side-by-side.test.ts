import { shop, stock } from './shop';
import { equivalence, mixin } from './support/equivalence';

const tested = equivalence({ ...shop, unregistered: ['Maker'] });
const modes = ['a transaction'] as const;

// The first of these makes the child's table known and not the parent's: what is read first must not overtake.
tested.test({
  'create of a child alone': {
    modes,
    isUnordered: true,
    run: ({ Review, tx }) => Review.create({ name: 'alone' }, { ...tx }),
  },
  'create of a parent and its child side by side': {
    modes,
    isUnordered: true,
    entries: 2,
    run: ({ Product, Review, tx }) =>
      Promise.all([
        Product.create({ id: 5, name: 'new' }, { ...tx }),
        Review.create({ name: 'its', productId: 5 }, { ...tx }),
      ]),
  },
  'create of an unregistered parent and its child side by side': {
    modes,
    isUnordered: true,
    run: ({ Maker, Product, tx }) =>
      Promise.all([
        Maker.create({ id: 5, name: 'new' }, { ...tx }),
        Product.create({ name: 'its', makerId: 5 }, { ...tx }),
      ]),
  },
  'create and read side by side': {
    modes,
    isUnordered: true,
    run: ({ Manual, tx }) =>
      Promise.all([Manual.create({ name: 'new' }, { ...tx }), Manual.count({ ...tx })]),
  },
  'read and create side by side': {
    modes,
    isUnordered: true,
    run: ({ Manual, tx }) =>
      Promise.all([Manual.count({ ...tx }), Manual.create({ name: 'new' }, { ...tx })]),
  },
  'destroy of a parent and create of its child side by side': {
    throws: 'SequelizeForeignKeyConstraintError',
    modes,
    isUnordered: true,
    prepare: stock,
    run: ({ Product, Review, tx }) =>
      Promise.all([
        Product.destroy({ ...tx, where: { id: 1 } }),
        Review.create({ name: 'late', productId: 1 }, { ...tx }),
      ]),
  },
  'create of a child, destroy of its parent and a read side by side': {
    throws: 'SequelizeForeignKeyConstraintError',
    modes,
    isUnordered: true,
    prepare: stock,
    run: ({ Product, Review, tx }) =>
      Promise.all([
        Review.create({ name: 'early', productId: 3 }, { ...tx }),
        Product.destroy({ ...tx, where: { id: 3 } }),
        Review.count({ ...tx }),
      ]),
  },
  'truncate and create side by side': {
    modes,
    isUnordered: true,
    prepare: stock,
    entries: 4,
    run: ({ Review, tx }) =>
      Promise.all([Review.truncate({ ...tx }), Review.create({ name: 'after' }, { ...tx })]),
  },
  'failing create and read side by side': {
    throws: 'SequelizeUniqueConstraintError',
    modes,
    isUnordered: true,
    prepare: stock,
    run: ({ Product, tx }) =>
      Promise.all([Product.create({ name: 'twin', sku: 'L' }, { ...tx }), Product.count({ ...tx })]),
  },
  'several findOrCreate and reads side by side': {
    modes,
    isUnordered: true,
    prepare: stock,
    entries: 2,
    run: ({ Product, tx }) => {
      const find = (sku: string): Promise<unknown> =>
        Product.findOrCreate({ ...tx, where: { sku }, defaults: { name: sku } }).then(
          ([, isCreated]) => isCreated,
        );
      return Promise.all([find('L'), find('new'), find('new'), find('D'), find('other')]);
    },
  },
  'updates of one row side by side': {
    modes,
    isUnordered: true,
    prepare: stock,
    entries: 3,
    run: async ({ Product, tx }) => {
      const price = (value: string): Promise<unknown> =>
        Product.update({ price: value }, { ...tx, where: { id: 1 } });
      await Promise.all([price('1'), price('2'), price('3')]);
      return Product.findByPk(1, { ...tx });
    },
  },
  'links set side by side': {
    modes,
    isUnordered: true,
    prepare: stock,
    entries: 6,
    run: async ({ Product, tx }) => {
      const [lamp, rug] = [await Product.findByPk(1, { ...tx }), await Product.findByPk(3, { ...tx })];
      return Promise.all([mixin(lamp, 'addTags', [3], { ...tx }), mixin(rug, 'addTags', [1], { ...tx })]);
    },
  },
});
