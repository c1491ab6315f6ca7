import { literal, type BulkCreateOptions } from 'sequelize';
import { failing, path, pathOver, type WritePath } from '../path';

const ROWS = [
  { code: 'a', name: 'A', age: 1 },
  { code: 'b', name: 'B', meta: { x: [1] }, tags: ['t'] },
  { code: 'c', name: `C'"\\ $1 ? :x`, balance: '3.30', password: 'p' },
];

/** bulkCreate of ROWS with these options. */
function bulk(name: string, entries: number, given: BulkCreateOptions): WritePath {
  return path(name, entries, ({ models }, options) =>
    models.Account.bulkCreate(ROWS, { ...options, ...given }),
  );
}

/** bulkCreate of ROWS where rows 'a' and 'b' are there, 'b' as ROWS has it. */
function bulkOver(name: string, entries: number, given: BulkCreateOptions): WritePath {
  return pathOver(
    name,
    entries,
    ({ models }) => models.Account.bulkCreate([{ ...ROWS[0], name: 'old', age: 9 }, { ...ROWS[1] }]),
    ({ models }, options) => models.Account.bulkCreate(ROWS, { ...options, ...given }),
  );
}

export const BULK_PATHS: readonly WritePath[] = [
  bulk('bulkCreate', 3, {}),
  bulk('bulkCreate without returning', 3, { returning: false }),
  bulk('bulkCreate with some columns returned', 3, { returning: ['id'] }),
  bulk('bulkCreate with fields', 3, { fields: ['code', 'name'] }),
  bulk('bulkCreate with validation', 3, { validate: true }),
  bulk('bulkCreate without hooks', 3, { hooks: false }),
  bulk('bulkCreate with individualHooks', 3, { individualHooks: true }),
  bulk('bulkCreate ignoring duplicates where there are none', 3, { ignoreDuplicates: true }),
  bulk('bulkCreate updating duplicates where there are none', 3, {
    updateOnDuplicate: ['name'],
    conflictAttributes: ['code'],
  }),
  path('bulkCreate of nothing', 0, ({ models }, options) => models.Account.bulkCreate([], options)),
  path('bulkCreate with literals', 2, ({ models }, options) =>
    models.Account.bulkCreate([{ age: literal('1 + 1') }, { name: literal(`upper('x')`) }], options),
  ),
  path('bulkCreate through a scope', 1, ({ models }, options) =>
    models.Account.scope('open').bulkCreate([{ name: 'a' }], options),
  ),
  path('bulkCreate of 200 rows', 200, ({ models }, options) =>
    models.Account.bulkCreate(
      Array.from({ length: 200 }, (_, at) => ({ name: `n${at}`, age: at })),
      options,
    ),
  ),
  path('bulkCreate that fails on a unique key', 0, (bench, options) =>
    failing(bench, options, 'SequelizeUniqueConstraintError', (inner) =>
      bench.models.Account.bulkCreate([{ code: 'a' }, { code: 'a' }], inner),
    ),
  ),
  bulkOver('bulkCreate ignoring some duplicates', 1, { ignoreDuplicates: true }),
  bulkOver('bulkCreate ignoring some duplicates without returning', 1, {
    ignoreDuplicates: true,
    returning: false,
  }),
  bulkOver('bulkCreate inserting, updating and leaving rows', 2, {
    updateOnDuplicate: ['name', 'age', 'meta', 'tags'],
    conflictAttributes: ['code'],
  }),
  bulkOver('bulkCreate updating duplicates without returning', 2, {
    updateOnDuplicate: ['name'],
    conflictAttributes: ['code'],
    returning: false,
  }),
  bulkOver('bulkCreate updating duplicates of untracked columns', 1, {
    updateOnDuplicate: ['internal', 'updatedAt'],
    conflictAttributes: ['code'],
  }),
  pathOver(
    'bulkCreate ignoring nothing but duplicates',
    0,
    ({ models }) => models.Account.bulkCreate(ROWS),
    ({ models }, options) => models.Account.bulkCreate(ROWS, { ...options, ignoreDuplicates: true }),
  ),
  pathOver(
    'bulkCreate updating duplicates by primary key',
    2,
    ({ models }) =>
      models.Seat.bulkCreate([
        { row: 'A', number: 1, guest: 'x' },
        { row: 'A', number: 2, guest: 'y' },
      ]),
    ({ models }, options) =>
      models.Seat.bulkCreate(
        [
          { row: 'A', number: 1, guest: 'x' },
          { row: 'A', number: 2, guest: 'z' },
          { row: 'B', number: 1, guest: 'n' },
        ],
        { ...options, updateOnDuplicate: ['guest'] },
      ),
  ),
  pathOver(
    'bulkCreate that wakes a soft-deleted row',
    2,
    async ({ models }) => {
      const draft = await models.Draft.create({ title: 'a' });
      await draft.destroy();
    },
    ({ models }, options) =>
      models.Draft.bulkCreate([{ title: 'a', binnedAt: null }, { title: 'b' }], {
        ...options,
        updateOnDuplicate: ['title', 'binnedAt'],
        conflictAttributes: ['title'],
      }),
  ),
];
