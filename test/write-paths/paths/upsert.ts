import { path, pathOver, type Bench, type CallOptions, type WritePath } from '../path';
import type { AnyModel } from '../models';

const STORED = {
  id: 1_000_001,
  code: 'a',
  name: 'old',
  age: 9,
  meta: { x: 1 },
  notes: { y: [1, null] },
  tags: ['t'],
  status: 'open',
};

function over(
  name: string,
  entries: number,
  act: (Account: AnyModel, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(
    name,
    entries,
    ({ models }) => models.Account.create(STORED),
    (bench, options) => act(bench.models.Account, options, bench),
  );
}

export const UPSERT_PATHS: readonly WritePath[] = [
  path('upsert of a new row', 1, ({ models }, options) => models.Account.upsert(STORED, options)),
  path('upsert of a new row without key', 1, ({ models }, options) =>
    models.Account.upsert({ name: 'n' }, options),
  ),
  over('upsert of a row that is there', 1, (Account, options) =>
    Account.upsert({ ...STORED, name: 'new', age: 10 }, options),
  ),
  over('upsert that changes nothing', 0, (Account, options) => Account.upsert(STORED, options)),
  over('upsert of some attributes', 1, (Account, options) =>
    Account.upsert({ id: STORED.id, status: 'closed', age: 9 }, options),
  ),
  over('upsert of JSON', 1, (Account, options) =>
    Account.upsert({ ...STORED, meta: { x: 2 }, notes: { y: [] }, tags: ['t', null] }, options),
  ),
  over('upsert with fields', 1, (Account, options) =>
    Account.upsert({ ...STORED, name: 'new', age: 10 }, { ...options, fields: ['name'] }),
  ),
  over('upsert by conflictFields', 1, (Account, options) =>
    Account.upsert({ code: 'a', name: 'new', age: 9 }, { ...options, conflictFields: ['code'] }),
  ),
  over('upsert that changes the primary key', 2, (Account, options) =>
    Account.upsert(
      { id: 1_000_002, code: 'a', name: 'new', age: 9 },
      { ...options, conflictFields: ['code'] },
    ),
  ),
  over('bulkCreate that changes a primary key', 3, (Account, options) =>
    Account.bulkCreate(
      [
        { id: 1_000_003, code: 'a', name: 'x' },
        { id: 1_000_004, code: 'b' },
      ],
      {
        ...options,
        updateOnDuplicate: ['id', 'name'],
        conflictAttributes: ['code'],
      },
    ),
  ),
  over('upsert without returning', 1, (Account, options) =>
    Account.upsert({ ...STORED, name: 'new' }, { ...options, returning: false }),
  ),
  over('upsert without hooks', 1, (Account, options) =>
    Account.upsert({ ...STORED, name: 'new' }, { ...options, hooks: false }),
  ),
  over('upsert of a masked attribute', 1, (Account, options) =>
    Account.upsert({ ...STORED, password: 'x' }, options),
  ),
  over('upsert twice', 2, async (Account, options) => {
    await Account.upsert({ ...STORED, name: 'one' }, options);
    await Account.upsert({ ...STORED, name: 'two' }, options);
  }),
  pathOver(
    'upsert of a composite key',
    1,
    ({ models }) => models.Seat.create({ row: 'A', number: 1, guest: 'x' }),
    ({ models }, options) => models.Seat.upsert({ row: 'A', number: 1, guest: 'z' }, options),
  ),
  path('upsert of a new composite key', 1, ({ models }, options) =>
    models.Seat.upsert({ row: 'A', number: 1, guest: 'z' }, options),
  ),
  pathOver(
    'upsert of mapped columns',
    1,
    ({ models }) => models.Ledger.create({ entryName: 'rent', amountDue: 1, dueOn: '2020-01-01' }),
    ({ models }, options, ledger) =>
      models.Ledger.upsert(
        { ledgerId: ledger.get('ledgerId'), entryName: 'fees', dueOn: '2020-01-01' },
        options,
      ),
  ),
  pathOver(
    'upsert of a row that a trigger changes',
    1,
    ({ models }) => models.Offer.create({ id: 1_000_001, name: 'One', rounded: 1.11 }),
    ({ models }, options) => models.Offer.upsert({ id: 1_000_001, name: 'TWO', rounded: 2.22 }, options),
  ),
  pathOver(
    'upsert of a soft-deleted row',
    1,
    async ({ models }) => {
      const paper = await models.Paper.create({ id: 1_000_001, title: 'a' });
      await paper.destroy();
    },
    ({ models }, options) => models.Paper.upsert({ id: 1_000_001, title: 'b' }, options),
  ),
  pathOver(
    'upsert that restores a soft-deleted row',
    1,
    async ({ models }) => {
      const paper = await models.Paper.create({ id: 1_000_001, title: 'a' });
      await paper.destroy();
    },
    ({ models }, options) => models.Paper.upsert({ id: 1_000_001, title: 'a', deletedAt: null }, options),
  ),
  pathOver(
    'upsert that soft-deletes a row',
    1,
    ({ models }) => models.Paper.create({ id: 1_000_001, title: 'a' }),
    ({ models }, options) =>
      models.Paper.upsert({ id: 1_000_001, title: 'b', deletedAt: new Date() }, options),
  ),
];
