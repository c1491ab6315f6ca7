import { fn, literal, type Model, type ModelStatic } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

const bob = { name: 'Bob', handle: 'bob', age: 20 };
const prepare = ({ Person }: { readonly Person: ModelStatic<Model> }): Promise<unknown> => Person.create(bob);

tested.test({
  'upsert that inserts': { run: ({ Person, tx }) => Person.upsert(ada, { ...tx }) },
  'upsert that inserts with a key': { run: ({ Person, tx }) => Person.upsert({ id: 7, ...bob }, { ...tx }) },
  'upsert that updates by the key': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob', age: 21 }, { ...tx }),
  },
  'upsert that updates by a unique attribute': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ ...bob, age: 22 }, { ...tx, conflictFields: ['handle'] }),
  },
  'upsert that changes nothing': {
    prepare,
    entries: 0,
    run: ({ Person, tx }) => Person.upsert({ id: 1, ...bob }, { ...tx, fields: ['name', 'age'] }),
  },
  'upsert without returning': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob' }, { ...tx, returning: false }),
  },
  'upsert returning some columns': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob' }, { ...tx, returning: ['age'] }),
  },
  'upsert of some fields': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob', age: 50 }, { ...tx, fields: ['name'] }),
  },
  'upsert without hooks': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob' }, { ...tx, hooks: false }),
  },
  'upsert without validation': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'R' }, { ...tx, validate: false }),
  },
  'upsert of every kind of column': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, ...ada }, { ...tx }),
  },
  'upsert of nulls': {
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob', age: null, settings: null }, { ...tx }),
  },
  'upsert with literals and functions': {
    prepare,
    run: ({ Person, tx }) =>
      Person.upsert({ id: 1, name: 'Rob', age: literal('3 * 3'), bio: fn('upper', 'o') }, { ...tx }),
  },
  'upsert, then another of the same row': {
    entries: 2,
    run: async ({ Person, tx }) => [
      await Person.upsert({ id: 3, ...bob }, { ...tx }),
      await Person.upsert({ id: 3, ...bob, age: 30 }, { ...tx }),
    ],
  },
  'upsert that fails a validator': {
    throws: 'SequelizeValidationError',
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'R' }, { ...tx }),
  },
  'upsert of another duplicate': {
    throws: 'SequelizeUniqueConstraintError',
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 2, ...bob }, { ...tx, conflictFields: ['id'] }),
  },
  'upsert that breaks a check': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Person, tx }) => Person.upsert({ id: 1, name: 'Rob', age: -1 }, { ...tx }),
  },
  'upsert with a conflict nobody declared': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Person, tx }) => Person.upsert(bob, { ...tx, conflictFields: ['age'] }),
  },
  'upsert with a condition on the conflict': {
    prepare,
    run: ({ Person, tx }) =>
      Person.upsert(
        { ...bob, age: 40 },
        { ...tx, conflictFields: ['handle'], conflictWhere: { handle: 'bob' } },
      ),
  },
});
