import { shop, stock } from './shop';
import { equivalence } from './support/equivalence';

const tested = equivalence(shop);
const prepare = stock;

tested.test({
  truncate: { prepare, entries: 3, run: ({ Review, tx }) => Review.truncate({ ...tx }) },
  'truncate of an empty table': { entries: 0, run: ({ Review, tx }) => Review.truncate({ ...tx }) },
  'truncate that restarts the identity': {
    prepare,
    entries: 4,
    run: async ({ Review, tx }) => {
      const result: unknown = await Review.truncate({ ...tx, restartIdentity: true });
      return [result, await Review.create({ name: 'first again' }, { ...tx })];
    },
  },
  'truncate that children forbid': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Product, tx }) => Product.truncate({ ...tx }),
  },
  'truncate that cascades': {
    prepare,
    entries: 17,
    run: ({ Product, tx }) => Product.truncate({ ...tx, cascade: true }),
  },
  'truncate that cascades and restarts the identity': {
    prepare,
    entries: 17,
    run: ({ Product, tx }) => Product.truncate({ ...tx, cascade: true, restartIdentity: true }),
  },
  'truncate by destroy': {
    prepare,
    entries: 3,
    run: ({ Review, tx }) => Review.destroy({ ...tx, truncate: true }),
  },
  'truncate of a paranoid model': { prepare, entries: 3, run: ({ Photo, tx }) => Photo.truncate({ ...tx }) },
  'forced truncate of a paranoid model': {
    prepare,
    entries: 3,
    run: ({ Photo, tx }) => Photo.truncate({ ...tx, force: true }),
  },
  'truncate without hooks': {
    prepare,
    entries: 3,
    run: ({ Review, tx }) => Review.truncate({ ...tx, hooks: false }),
  },
});
