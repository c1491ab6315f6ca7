import { literal } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

const bob = { name: 'Bob', handle: 'bob', age: 20 };
const three = [ada, bob, { name: 'Cleo', handle: 'cleo', tags: ['x'] }];

tested.test({
  bulkCreate: { entries: 3, run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx }) },
  'bulkCreate of nothing': { entries: 0, run: ({ Person, tx }) => Person.bulkCreate([], { ...tx }) },
  'bulkCreate of one': { run: ({ Person, tx }) => Person.bulkCreate([bob], { ...tx }) },
  'bulkCreate without returning': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, returning: false }),
  },
  'bulkCreate returning everything': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, returning: true }),
  },
  'bulkCreate returning some columns': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, returning: ['id', 'code'] }),
  },
  'bulkCreate of some fields': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, fields: ['name', 'age'] }),
  },
  'bulkCreate with validation': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, validate: true }),
  },
  'bulkCreate with individual hooks': {
    entries: 3,
    isUnordered: true,
    modes: ['a transaction'],
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, individualHooks: true }),
  },
  'bulkCreate without hooks': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, hooks: false }),
  },
  "bulkCreate of instances' values with keys": {
    entries: 2,
    run: ({ Person, tx }) =>
      Person.bulkCreate(
        [
          { id: 50, ...bob },
          { id: 60, name: 'Dora' },
        ],
        { ...tx },
      ),
  },
  'bulkCreate with literals': {
    entries: 2,
    run: ({ Person, tx }) =>
      Person.bulkCreate(
        [
          { name: 'Lit', age: literal('1 + 1') },
          { name: 'Lat', age: 3 },
        ],
        { ...tx },
      ),
  },
  'bulkCreate of a hundred rows': {
    entries: 100,
    run: ({ Person, tx }) =>
      Person.bulkCreate(
        Array.from({ length: 100 }, (_, at) => ({ name: `Row ${at}`, bio: `'${at}'\\ $${at}` })),
        { ...tx },
      ),
  },
  'bulkCreate that ignores duplicates': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 2,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, ignoreDuplicates: true }),
  },
  'bulkCreate of nothing but duplicates': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 0,
    run: ({ Person, tx }) => Person.bulkCreate([bob], { ...tx, ignoreDuplicates: true }),
  },
  'bulkCreate that ignores duplicates without returning': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 2,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, ignoreDuplicates: true, returning: false }),
  },
  'bulkCreate that updates duplicates of the key': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 2,
    run: ({ Person, tx }) =>
      Person.bulkCreate(
        [
          { id: 1, name: 'Rob', age: 21 },
          { id: 9, name: 'New' },
        ],
        { ...tx, updateOnDuplicate: ['name', 'age'], conflictAttributes: ['id'] },
      ),
  },
  'bulkCreate that updates other duplicates than there are': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: ({ Person }) => Person.create(bob),
    run: ({ Person, tx }) =>
      Person.bulkCreate([{ id: 1, name: 'Rob', age: 21 }], { ...tx, updateOnDuplicate: ['name', 'age'] }),
  },
  'bulkCreate that updates duplicates of a unique attribute': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 3,
    run: ({ Person, tx }) =>
      Person.bulkCreate([{ ...bob, age: 21 }, ada, { name: 'Cleo', handle: 'cleo' }], {
        ...tx,
        updateOnDuplicate: ['age', 'updatedAt'],
        conflictAttributes: ['handle'],
      }),
  },
  'bulkCreate that updates duplicates to what they are': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 0,
    run: ({ Person, tx }) =>
      Person.bulkCreate([bob], { ...tx, updateOnDuplicate: ['age'], conflictAttributes: ['handle'] }),
  },
  'bulkCreate that updates duplicates without returning': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 1,
    run: ({ Person, tx }) =>
      Person.bulkCreate([{ ...bob, age: 99 }], {
        ...tx,
        updateOnDuplicate: ['age'],
        conflictAttributes: ['handle'],
        returning: false,
      }),
  },
  'bulkCreate that updates duplicates under a condition': {
    prepare: ({ Person }) => Person.create(bob),
    entries: 1,
    run: ({ Person, tx }) =>
      Person.bulkCreate([{ ...bob, age: 99 }], {
        ...tx,
        updateOnDuplicate: ['age'],
        conflictAttributes: ['handle'],
        conflictWhere: { name: 'Bob' },
      } as never).catch((error: Error) => error),
  },
  'bulkCreate with a duplicate': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: ({ Person }) => Person.create(bob),
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx }),
  },
  'bulkCreate with a duplicate inside': {
    throws: 'SequelizeUniqueConstraintError',
    run: ({ Person, tx }) => Person.bulkCreate([bob, bob], { ...tx }),
  },
  'bulkCreate that would update a row twice': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) =>
      Person.bulkCreate([bob, bob], { ...tx, updateOnDuplicate: ['age'], conflictAttributes: ['handle'] }),
  },
  'bulkCreate that fails a validator': {
    throws: 'AggregateError',
    run: ({ Person, tx }) =>
      Person.bulkCreate([bob, { name: 'x' }, { name: 'Em', email: 'none' }], { ...tx, validate: true }),
  },
  'bulkCreate that fails a validator with individual hooks': {
    throws: 'AggregateError',
    modes: ['a transaction'],
    run: ({ Person, tx }) =>
      Person.bulkCreate([{ name: 'x' }], { ...tx, validate: true, individualHooks: true }),
  },
  'bulkCreate that breaks a check': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.bulkCreate([bob, { name: 'Neg', age: -1 }], { ...tx }),
  },
  'bulkCreate of a null that the database forbids': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.bulkCreate([bob, { handle: 'nobody' }], { ...tx }),
  },
  'bulkCreate of a text that is too long': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.bulkCreate([{ name: 'n'.repeat(21) }], { ...tx }),
  },
  'bulkCreate of text where a number belongs': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.bulkCreate([{ name: 'Age', age: 'old' }], { ...tx }),
  },
  'bulkCreate with a benchmark': {
    entries: 3,
    run: ({ Person, tx }) => Person.bulkCreate(three, { ...tx, benchmark: true }),
  },
});
