import { shop, stock, type Shop } from './shop';
import { equivalence } from './support/equivalence';

const tested = equivalence(shop);

const everything = {
  name: 'Set',
  price: '1.00',
  maker: { name: 'New maker' },
  manual: { name: 'Guide' },
  reviews: [
    { name: 'good', stars: 4 },
    { name: 'bad', stars: 1 },
  ],
  photos: [{ name: 'side' }],
  tags: [{ name: 'new', ProductTag: { weight: 7 } }, { name: 'newer' }],
  shelves: [{ code: 'Z9', Placement: { height: 3 } }],
};

const all = ({ Product }: Shop): { include: { association: string }[] } => ({
  include: Object.keys(Product.associations)
    .filter((name) => name !== 'sales')
    .map((association) => ({ association })),
});

tested.test({
  'create with children of every kind': {
    entries: 18,
    isUnordered: true,
    run: (world) => world.Product.create(everything, { ...world.tx, ...all(world) }),
  },
  'build and save with children': {
    entries: 3,
    isUnordered: true,
    run: ({ Product, tx }) =>
      Product.build({ name: 'Set', reviews: everything.reviews }, { include: ['reviews'] }).save({ ...tx }),
  },
  'create with a parent': {
    entries: 2,
    run: ({ Product, tx }) =>
      Product.create({ name: 'Set', maker: { name: 'New' } }, { ...tx, include: ['maker'] }),
  },
  'create with a parent that fails': {
    throws: 'SequelizeDatabaseError',
    run: ({ Product, tx }) =>
      Product.create({ name: 'Set', maker: { name: 'n'.repeat(31) } }, { ...tx, include: ['maker'] }),
  },
  'create with a child that fails validation': {
    throws: 'SequelizeValidationError',
    entries: 1,
    run: ({ Product, tx }) =>
      Product.create({ name: 'Set', reviews: [{ name: 'bad', stars: 9 }] }, { ...tx, include: ['reviews'] }),
  },
  'create with a child that the database refuses': {
    throws: 'SequelizeDatabaseError',
    entries: 1,
    run: ({ Product, tx }) =>
      Product.create({ name: 'Set', manual: { name: 'n'.repeat(31) } }, { ...tx, include: ['manual'] }),
  },
  'create with grandchildren': {
    entries: 3,
    run: ({ Category, tx }) => {
      const children = [{ name: 'child', children: [{ name: 'grandchild' }] }];
      return Category.create(
        { name: 'root', children },
        { ...tx, include: [{ association: 'children', include: ['children'] }] },
      );
    },
  },
  'create with children, without hooks': {
    entries: 3,
    isUnordered: true,
    run: ({ Product, tx }) =>
      Product.create(
        { name: 'Set', reviews: everything.reviews },
        { ...tx, include: ['reviews'], hooks: false },
      ),
  },
  'bulkCreate with children': {
    entries: 6,
    isUnordered: true,
    run: ({ Product, tx }) => {
      const rows = [
        { name: 'One', reviews: everything.reviews, maker: { name: 'M' } },
        { name: 'Two', reviews: [{ name: 'fine' }] },
      ];
      return Product.bulkCreate(rows, { ...tx, include: ['reviews', 'maker'] });
    },
  },
  'bulkCreate with links': {
    entries: 9,
    isUnordered: true,
    run: ({ Product, tx }) => {
      const rows = [{ name: 'One', tags: everything.tags }, { name: 'Two' }];
      return Product.bulkCreate(rows, { ...tx, include: ['tags'] });
    },
  },
  'bulkCreate with a child that fails': {
    throws: 'SequelizeDatabaseError',
    entries: 2,
    run: ({ Product, tx }) => {
      const rows = [{ name: 'One', reviews: [{ name: 'n'.repeat(31) }] }, { name: 'Two' }];
      return Product.bulkCreate(rows, { ...tx, include: ['reviews'] });
    },
  },
  'save of an instance with loaded children': {
    prepare: stock,
    entries: 1,
    run: async (world) => {
      const product = await world.Product.findByPk(1, { ...world.tx, ...all(world), rejectOnEmpty: true });
      return product.update({ name: 'Lamp 2' }, { ...world.tx });
    },
  },
  'reload with children after an update': {
    prepare: stock,
    entries: 1,
    run: async ({ Product, tx }) => {
      const product = await Product.findByPk(1, { ...tx, include: ['reviews'], rejectOnEmpty: true });
      await product.update({ name: 'Lamp 2' }, { ...tx });
      return product.reload({ ...tx });
    },
  },
});
