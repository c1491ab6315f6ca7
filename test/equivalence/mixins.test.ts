import { product, shop, stock, type Shop } from './shop';
import { equivalence, mixin, type Scenario } from './support/equivalence';

const tested = equivalence(shop);

/** Calls a mixin of the first product, and shows the product beside the answer. */
function calling(entries: number, name: string, args: (world: Shop) => unknown[], id = 1): Scenario<Shop> {
  return {
    prepare: stock,
    entries,
    run: async (world) => {
      const owner = await product(world, world.tx, id);
      const given = args(world);
      const options = { ...world.tx, ...(isOptions(given.at(-1)) ? (given.pop() as object) : {}) };
      return [await mixin(owner, name, ...given, options), owner];
    },
  };
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'isOptions' in value;
}

const built =
  (model: 'Review' | 'Manual' | 'Tag' | 'Maker', id: number) =>
  (world: Shop): unknown[] => [world[model].build({ id, name: 'built' }, { isNewRecord: false })];

tested.test({
  'hasOne set': calling(1, 'setManual', built('Manual', 1), 2),
  'hasOne set to another': calling(2, 'setManual', (world) => [world.Manual.build({ name: 'second' })]),
  'hasOne set to null': calling(1, 'setManual', () => [null]),
  'hasOne create': calling(1, 'createManual', () => [{ name: 'made' }], 3),
  'hasOne create over another': calling(1, 'createManual', () => [{ name: 'made' }]),
  'hasMany create': calling(1, 'createReview', () => [{ name: 'made', stars: 3 }]),
  'hasMany create that fails': {
    ...calling(0, 'createReview', () => [{ name: 'made', stars: 9 }]),
    throws: 'SequelizeValidationError',
  },
  'hasMany add by key': calling(1, 'addReview', () => [3]),
  'hasMany add by instance': calling(1, 'addReviews', built('Review', 3)),
  'hasMany add of what is there': calling(0, 'addReviews', () => [[1, 2]]),
  'hasMany add of a missing row': calling(0, 'addReview', () => [99]),
  'hasMany remove': calling(1, 'removeReview', () => [1]),
  "hasMany remove of another's": calling(0, 'removeReview', () => [3]),
  'hasMany set': calling(2, 'setReviews', () => [[2, 3]]),
  'hasMany set to none': calling(2, 'setReviews', () => [null]),
  'belongsTo set by key': calling(1, 'setMaker', () => [2]),
  'belongsTo set by instance': calling(1, 'setMaker', built('Maker', 2)),
  'belongsTo set to null': calling(1, 'setMaker', () => [null]),
  'belongsTo set to what it is': calling(0, 'setMaker', () => [1]),
  'belongsTo set to a missing row': {
    ...calling(0, 'setMaker', () => [99]),
    throws: 'SequelizeForeignKeyConstraintError',
  },
  'belongsTo create': calling(2, 'createMaker', () => [{ name: 'made' }]),
  'belongsToMany add by key': calling(3, 'addTag', () => [3]),
  'belongsToMany add by instance': calling(3, 'addTag', built('Tag', 3)),
  'belongsToMany add with attributes': calling(3, 'addTag', () => [
    3,
    { through: { weight: 9 }, isOptions: true },
  ]),
  'belongsToMany add of what is there': calling(0, 'addTags', () => [[1, 2]]),
  'belongsToMany add that changes attributes': calling(1, 'addTag', () => [
    1,
    { through: { weight: 5 }, isOptions: true },
  ]),
  'belongsToMany add with individual hooks': calling(3, 'addTag', () => [
    3,
    { individualHooks: true, isOptions: true },
  ]),
  'belongsToMany add of a missing row': {
    ...calling(0, 'addTag', () => [99]),
    throws: 'SequelizeForeignKeyConstraintError',
  },
  'belongsToMany remove': calling(3, 'removeTag', () => [1]),
  'belongsToMany remove of several': calling(5, 'removeTags', () => [[1, 2]]),
  'belongsToMany remove with individual hooks': calling(3, 'removeTag', () => [
    1,
    { individualHooks: true, isOptions: true },
  ]),
  'belongsToMany set': calling(6, 'setTags', () => [[2, 3]]),
  'belongsToMany set to none': calling(5, 'setTags', () => [[]]),
  'belongsToMany create': calling(4, 'createTag', () => [
    { name: 'made' },
    { through: { weight: 2 }, isOptions: true },
  ]),
  'belongsToMany create that fails': {
    ...calling(0, 'createTag', () => [{ name: 'n'.repeat(31) }]),
    throws: 'SequelizeDatabaseError',
  },
  'belongsToMany add through a table with a key of its own': calling(3, 'addShelf', () => [
    'B2',
    { through: { height: 4 }, isOptions: true },
  ]),
  'belongsToMany remove through a table with a key of its own': calling(3, 'removeShelf', () => ['A1']),
  'belongsToMany set through a table with a key of its own': calling(6, 'setShelves', () => [['B2']]),
});
