import { literal, Op } from 'sequelize';
import { product, shop, stock } from './shop';
import { equivalence } from './support/equivalence';
import { RESTRICTED } from './support/restricted';

const tested = equivalence(shop);
const prepare = stock;

tested.test({
  'destroy of an instance': {
    prepare,
    entries: 1,
    run: async (world) => (await product(world, world.tx, 3)).destroy({ ...world.tx }),
  },
  'destroy of an instance without hooks': {
    prepare,
    run: async (world) => (await product(world, world.tx, 3)).destroy({ ...world.tx, hooks: false }),
  },
  'destroy of a row with cascading, nulled and linked children': {
    prepare,
    entries: 12,
    run: async (world) => (await product(world, world.tx)).destroy({ ...world.tx }),
  },
  'destroy of a missing row': {
    entries: 0,
    run: ({ Product, tx }) => Product.build({ id: 9, name: 'x' }, { isNewRecord: false }).destroy({ ...tx }),
  },
  'destroy of a missing row without parents': {
    entries: 0,
    run: ({ Review, tx }) => Review.build({ id: 9 }, { isNewRecord: false }).destroy({ ...tx }),
  },
  'destroy, then use of the instance': {
    prepare,
    run: async (world) => {
      const gone = await product(world, world.tx, 3);
      await gone.destroy({ ...world.tx });
      return gone;
    },
  },
  'destroy that a child forbids': {
    throws: RESTRICTED,
    prepare: async (world) => [await stock(world), await world.Sale.create({ name: 'sold', productId: 2 })],
    run: async (world) => (await product(world, world.tx, 2)).destroy({ ...world.tx }),
  },
  'static destroy that a child forbids': {
    throws: RESTRICTED,
    prepare: async (world) => [await stock(world), await world.Sale.create({ name: 'sold', productId: 2 })],
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { id: [2, 3] } }),
  },
  'static destroy': {
    prepare,
    entries: 2,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { productId: 1 } }),
  },
  'static destroy of rows with children': {
    prepare,
    entries: 4,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { price: { [Op.gt]: 50 } } }),
  },
  'static destroy of no rows': {
    prepare,
    entries: 0,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { productId: 9 } }),
  },
  'static destroy of no rows that could have children': {
    prepare,
    entries: 0,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { id: 9 } }),
  },
  'static destroy of all rows': {
    prepare,
    entries: 3,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: {} }),
  },
  'static destroy without where': {
    throws: 'Error',
    prepare,
    run: ({ Review, tx }) => Review.destroy({ ...tx }),
  },
  'static destroy with a limit': {
    prepare,
    entries: 1,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { productId: 1 }, limit: 1 }),
  },
  'static destroy of parents with a limit': {
    prepare,
    entries: 1,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { name: 'Rug' }, limit: 1 }),
  },
  'static destroy with individual hooks': {
    prepare,
    entries: 2,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { productId: 1 }, individualHooks: true }),
  },
  'static destroy by a literal': {
    prepare,
    entries: 1,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: literal(`"name" = 'Dim'`) as never }),
  },
  'static destroy by a subquery': {
    prepare,
    entries: 2,
    run: ({ Review, tx }) =>
      Review.destroy({
        ...tx,
        where: { productId: { [Op.in]: literal(`(select "id" from "Products" where "sku" = 'L')`) } },
      }),
  },
  'static destroy of a tree': {
    prepare,
    entries: 3,
    run: ({ Category, tx }) => Category.destroy({ ...tx, where: { id: 1 } }),
  },
  'static destroy of a parent and its child': {
    prepare,
    entries: 3,
    run: ({ Category, tx }) => Category.destroy({ ...tx, where: { id: [1, 2] } }),
  },
  'destroy of the parent of nulled rows': {
    prepare,
    entries: 3,
    run: ({ Maker, tx }) => Maker.destroy({ ...tx, where: { id: 1 } }),
  },
  'soft destroy of an instance': {
    prepare,
    run: async ({ Photo, tx }) =>
      (await Photo.findByPk(1, { ...tx, rejectOnEmpty: true })).destroy({ ...tx }),
  },
  'soft destroy that leaves the instance': {
    prepare,
    run: async ({ Photo, tx }) => {
      const photo = await Photo.findByPk(1, { ...tx, rejectOnEmpty: true });
      await photo.destroy({ ...tx });
      return photo;
    },
  },
  'soft destroy, again': {
    prepare,
    run: async ({ Photo, tx }) => {
      const photo = await Photo.findByPk(1, { ...tx, rejectOnEmpty: true });
      await photo.destroy({ ...tx });
      return photo.destroy({ ...tx });
    },
  },
  'soft destroy of what is deleted already': {
    prepare: async (world) => [await stock(world), await world.Photo.destroy({ where: {} })],
    entries: 0,
    run: async ({ Photo, tx }) =>
      (await Photo.findByPk(1, { ...tx, paranoid: false, rejectOnEmpty: true })).destroy({ ...tx }),
  },
  'forced destroy of a paranoid instance': {
    prepare,
    run: async ({ Photo, tx }) =>
      (await Photo.findByPk(1, { ...tx, rejectOnEmpty: true })).destroy({ ...tx, force: true }),
  },
  'static soft destroy': {
    prepare,
    entries: 2,
    run: ({ Photo, tx }) => Photo.destroy({ ...tx, where: { productId: 1 } }),
  },
  'static soft destroy with a limit, which Sequelize ignores': {
    prepare,
    entries: 2,
    run: ({ Photo, tx }) => Photo.destroy({ ...tx, where: { productId: 1 }, limit: 1 }),
  },
  'static soft destroy with individual hooks': {
    prepare,
    entries: 2,
    run: ({ Photo, tx }) => Photo.destroy({ ...tx, where: { productId: 1 }, individualHooks: true }),
  },
  'static forced destroy': {
    prepare,
    entries: 2,
    run: ({ Photo, tx }) => Photo.destroy({ ...tx, where: { productId: 1 }, force: true }),
  },
  'restore of an instance': {
    prepare,
    entries: 2,
    run: async ({ Photo, tx }) => {
      const photo = await Photo.findByPk(1, { ...tx, rejectOnEmpty: true });
      await photo.destroy({ ...tx });
      await photo.restore({ ...tx });
      return photo;
    },
  },
  'restore of what is not deleted': {
    prepare,
    entries: 0,
    run: async ({ Photo, tx }) =>
      (await Photo.findByPk(1, { ...tx, rejectOnEmpty: true })).restore({ ...tx }),
  },
  'static restore': {
    prepare: async (world) => [await stock(world), await world.Photo.destroy({ where: {} })],
    entries: 2,
    run: ({ Photo, tx }) => Photo.restore({ ...tx, where: { productId: 1 } }),
  },
  'static restore with individual hooks': {
    prepare: async (world) => [await stock(world), await world.Photo.destroy({ where: {} })],
    entries: 2,
    isUnordered: true,
    run: ({ Photo, tx }) => Photo.restore({ ...tx, where: { productId: 1 }, individualHooks: true }),
  },
  'restore of a model that cannot': {
    throws: 'Error',
    prepare,
    run: ({ Review, tx }) => Review.restore({ ...tx, where: {} }),
  },
  'destroy with a faulty condition': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { nowhere: 1 } }),
  },
  'destroy of parents with a faulty condition': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { nowhere: 1 } }),
  },
  'destroy with text where a number belongs': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Review, tx }) => Review.destroy({ ...tx, where: { id: 'one' } }),
  },
  'destroy of parents with text where a number belongs': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Product, tx }) => Product.destroy({ ...tx, where: { id: 'one' } }),
  },
});
