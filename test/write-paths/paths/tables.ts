import { literal } from 'sequelize';
import { EXOTIC_COLUMNS, ODD } from '../strange-models';
import { path, pathOver, type WritePath } from '../path';

const OFFERS: readonly WritePath[] = [
  path('create with database defaults, a trigger and a generated column', 1, ({ models }, options) =>
    models.Offer.create({ rounded: '1.26' }, options),
  ),
  path('bulkCreate with database defaults, a trigger and a generated column', 2, ({ models }, options) =>
    models.Offer.bulkCreate(
      [
        { name: 'ABC', rounded: '1.26' },
        { name: 'DEF', base: 2 },
      ],
      { ...options, fields: ['name', 'rounded'] },
    ),
  ),
  pathOver(
    'update of a generated column',
    1,
    ({ models }) => models.Offer.create({ name: 'ABC' }),
    (_bench, options, offer) => offer.update({ base: 50 }, options),
  ),
  pathOver(
    'update that a trigger changes',
    1,
    ({ models }) => models.Offer.create({ name: 'ABC', rounded: 1 }),
    (_bench, options, offer) => offer.update({ name: 'XYZ', rounded: 2.22 }, options),
  ),
  pathOver(
    'update that a trigger undoes',
    0,
    ({ models }) => models.Offer.create({ name: 'ABC' }),
    (_bench, options, offer) => offer.update({ slug: 'never' }, options),
  ),
  pathOver(
    'destroy with a generated column',
    1,
    ({ models }) => models.Offer.create({ name: 'ABC' }),
    (_bench, options, offer) => offer.destroy(options),
  ),
];

const VAULTS: readonly WritePath[] = [
  path('bulkCreate of which a trigger vetoes one', 1, ({ models }, options) =>
    models.Vault.bulkCreate([{ name: 'barred' }, { name: 'open' }], { ...options, returning: false }),
  ),
  pathOver(
    'Model.update of which a trigger vetoes one',
    1,
    ({ models }) => models.Vault.bulkCreate([{ name: 'sealed' }, { name: 'open' }]),
    ({ models }, options) => models.Vault.update({ name: 'x' }, { ...options, where: {} }),
  ),
  pathOver(
    'Model.destroy of which a trigger vetoes one',
    1,
    ({ models }) => models.Vault.bulkCreate([{ name: 'sealed' }, { name: 'open' }]),
    ({ models }, options) => models.Vault.destroy({ ...options, where: {} }),
  ),
];

const READINGS: readonly WritePath[] = [
  path('bulkCreate in a partitioned table', 2, ({ models }, options) =>
    models.Reading.bulkCreate(
      [
        { zone: 'north', value: 1 },
        { zone: 'south', value: 2 },
      ],
      options,
    ),
  ),
  pathOver(
    'Model.update in a partitioned table',
    2,
    ({ models }) =>
      models.Reading.bulkCreate([
        { zone: 'north', value: 1 },
        { zone: 'south', value: 1 },
      ]),
    ({ models }, options) => models.Reading.update({ value: 5 }, { ...options, where: { value: 1 } }),
  ),
  pathOver(
    'update that moves a row to another partition',
    1,
    ({ models }) => models.Reading.create({ zone: 'north', value: 1 }),
    (_bench, options, reading) => reading.update({ zone: 'south' }, options),
  ),
  pathOver(
    'Model.destroy in a partitioned table',
    2,
    ({ models }) =>
      models.Reading.bulkCreate([
        { zone: 'north', value: 1 },
        { zone: 'south', value: 1 },
      ]),
    ({ models }, options) => models.Reading.destroy({ ...options, where: {} }),
  ),
];

const SHELVES: readonly WritePath[] = [
  path('create in another schema', 1, ({ models }, options) => models.Shelf.create({ label: 'a' }, options)),
  path('bulkCreate in another schema', 2, ({ models }, options) =>
    models.Shelf.bulkCreate([{ label: 'a' }, { label: 'b' }], options),
  ),
  pathOver(
    'update in another schema',
    1,
    ({ models }) => models.Shelf.create({ label: 'a' }),
    (_bench, options, shelf) => shelf.update({ label: 'b' }, options),
  ),
  pathOver(
    'Model.update in another schema',
    2,
    ({ models }) => models.Shelf.bulkCreate([{ label: 'a' }, { label: 'b' }]),
    ({ models }, options) => models.Shelf.update({ label: 'c' }, { ...options, where: {} }),
  ),
  pathOver(
    'increment, upsert and destroy in another schema',
    2,
    ({ models }) => models.Shelf.create({ id: 1_000_001, label: 'a' }),
    async ({ models }, options, shelf) => {
      await models.Shelf.upsert({ id: 1_000_001, label: 'b' }, options);
      await shelf.destroy(options);
    },
  ),
  path('findOrCreate in another schema', 1, ({ models }, options) =>
    models.Shelf.findOrCreate({ where: { label: 'x' }, ...options }),
  ),
  pathOver(
    'truncate in another schema',
    1,
    ({ models }) => models.Shelf.create({ label: 'a' }),
    ({ models }, options) => models.Shelf.truncate(options),
  ),
];

const MAPPED: readonly WritePath[] = [
  path('create with mapped columns', 1, ({ models }, options) =>
    models.Ledger.create(
      { entryName: 'rent', amountDue: '12.500', dueOn: '2024-02-29', pinToken: '1', order: 1 },
      options,
    ),
  ),
  path('bulkCreate with mapped columns', 2, ({ models }, options) =>
    models.Ledger.bulkCreate(
      [
        { entryName: 'rent', amountDue: 1 },
        { dueOn: '2024-02-29', pinToken: '1' },
      ],
      options,
    ),
  ),
  pathOver(
    'destroy with mapped columns',
    1,
    ({ models }) => models.Ledger.create({ entryName: 'rent', pinToken: '1' }),
    (_bench, options, ledger) => ledger.destroy(options),
  ),
];

/** The first or the second value of every exotic column. */
function exotic(at: 1 | 2) {
  return Object.fromEntries(
    Object.entries(EXOTIC_COLUMNS).map(([name, column]) => [name, literal(column[at])]),
  );
}

const STRANGE: readonly WritePath[] = [
  path('create with types that Sequelize does not know', 1, ({ models }, options) =>
    models.Exotic.create(exotic(1), options),
  ),
  pathOver(
    'update with types that Sequelize does not know',
    1,
    ({ models }) => models.Exotic.create(exotic(1)),
    ({ models }, options) => models.Exotic.update(exotic(2), { ...options, where: {} }),
  ),
  pathOver(
    'update with types that Sequelize does not know to the same',
    0,
    ({ models }) => models.Exotic.create(exotic(1)),
    ({ models }, options) => models.Exotic.update(exotic(1), { ...options, where: {} }),
  ),
  pathOver(
    'destroy with types that Sequelize does not know',
    1,
    ({ models }) => models.Exotic.create(exotic(2)),
    ({ models }, options) => models.Exotic.destroy({ ...options, where: {} }),
  ),
  path('create with names that need care', 1, ({ models }, options) =>
    models.Odd.create(
      {
        [ODD.quote]: 'a',
        [ODD.space]: 1,
        [ODD.bind]: 'b',
        [ODD.long]: 'c',
        [ODD.path]: 'd',
        old: 'o',
        new: 'n',
      },
      options,
    ),
  ),
  pathOver(
    'update and upsert with names that need care',
    2,
    ({ models }) => models.Odd.create({ id: 1_000_001, [ODD.quote]: 'a', [ODD.long]: 'c', old: 'o' }),
    async ({ models }, options, odd) => {
      await odd.update({ [ODD.quote]: 'b', [ODD.bind]: 'x', new: 'o' }, options);
      await models.Odd.upsert({ id: 1_000_001, [ODD.path]: 'p', old: 'new' }, options);
    },
  ),
  pathOver(
    'create, update and destroy of 180 columns',
    3,
    async () => Object.fromEntries(Array.from({ length: 180 }, (_, at) => [`column${at}`, at])),
    async ({ models }, options, values) => {
      const wide = await models.Wide.create(values, options);
      await wide.update({ column0: -1, column179: -2, column90: null }, options);
      await wide.destroy(options);
    },
  ),
  path('create through a view', 1, ({ models }, options) =>
    models.Glimpse.create({ name: 'a', size: 1 }, options),
  ),
  pathOver(
    'Model.update and Model.destroy through a view',
    2,
    ({ models }) => models.Glimpse.create({ name: 'a', size: 1 }),
    async ({ models }, options) => {
      await models.Glimpse.update({ size: literal('size + 1') }, { ...options, where: { name: 'a' } });
      await models.Glimpse.destroy({ ...options, where: { size: 2 } });
    },
  ),
];

/** Tables that are more than a model's attributes say. */
export const TABLE_PATHS = [...OFFERS, ...VAULTS, ...READINGS, ...SHELVES, ...MAPPED, ...STRANGE];
