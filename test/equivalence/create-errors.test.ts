import { literal, type Model } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

function failing(): never {
  throw new TypeError('hook');
}

const withAda = ({ Person }: { Person: typeof Model & (new () => Model) }): Promise<unknown> =>
  Person.create(ada);

tested.test({
  'create that fails a validator': {
    throws: 'SequelizeValidationError',
    run: ({ Person, tx }) => Person.create({ name: 'x', email: 'none' }, { ...tx }),
  },
  'create that fails the model validator': {
    throws: 'SequelizeValidationError',
    run: ({ Person, tx }) => Person.create({ name: 'Kid', role: 'admin', age: 3 }, { ...tx }),
  },
  'create of a null that validation forbids': {
    throws: 'SequelizeValidationError',
    run: ({ Person, tx }) => Person.create({ name: null }, { ...tx }),
  },
  'create of a null that the database forbids': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: null }, { ...tx, validate: false }),
  },
  'create of a duplicate': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: withAda,
    run: ({ Person, tx }) => Person.create({ name: 'Ann', handle: 'ada' }, { ...tx }),
  },
  'create of a duplicate with a message of its own': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: withAda,
    run: ({ Person, tx }) => Person.create({ name: 'Ann', email: 'ada@example.org' }, { ...tx }),
  },
  'create of a duplicate key': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: withAda,
    run: ({ Person, tx }) => Person.create({ id: 1, name: 'Ann' }, { ...tx }),
  },
  'create that breaks a check': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Neg', age: -1 }, { ...tx }),
  },
  'create of a text that is too long': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'n'.repeat(21) }, { ...tx }),
  },
  'create of a number that is too large': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Big', age: 2 ** 40 }, { ...tx }),
  },
  'create of a decimal that is too large': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Big', balance: '123456789.00' }, { ...tx }),
  },
  'create of an unknown enum value': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Nob', role: 'queen' }, { ...tx, validate: false }),
  },
  'create of text where a number belongs': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Nan', age: 'old' }, { ...tx, validate: false }),
  },
  'create of an unknown address': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Ip', address: 'nowhere' }, { ...tx, validate: false }),
  },
  'create with a NUL in a text': { run: ({ Person, tx }) => Person.create({ name: 'N\0l' }, { ...tx }) },
  'create with a NUL in jsonb': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Nul', settings: { a: '\0' } }, { ...tx }),
  },
  'create with a faulty literal': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Lit', age: literal('nowhere + 1') }, { ...tx }),
  },
  'create with a literal that divides by zero': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Div', age: literal('1 / 0') }, { ...tx }),
  },
  'create with a syntax error': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create({ name: 'Syn', age: literal('1 +') }, { ...tx }),
  },
  'create of an object that cannot be a string': {
    throws: 'SequelizeValidationError',
    run: ({ Person, tx }) => Person.create({ name: { a: 1 } }, { ...tx }),
  },
  'create after a failed create in the same transaction': {
    throws: 'SequelizeDatabaseError',
    modes: ['a transaction'],
    prepare: withAda,
    run: async ({ Person, tx }) => {
      await Person.create({ name: 'Ann', handle: 'ada' }, { ...tx }).catch(() => undefined);
      return Person.create({ name: 'Bea' }, { ...tx });
    },
  },
  'create after a failed create in a savepoint of the same transaction': {
    modes: ['a transaction'],
    prepare: withAda,
    run: async ({ Person, sequelize, tx }) => {
      const inner = sequelize.transaction({ ...tx }, (transaction) =>
        Person.create({ name: 'Ann', handle: 'ada' }, { transaction }),
      );
      const failure: unknown = await inner.catch((error: unknown) => error);
      return [failure, await Person.create({ name: 'Bea' }, { ...tx })];
    },
  },
  'create whose after-hook throws': {
    throws: 'TypeError',
    entries: 1,
    run: ({ Person, tx }) => {
      Person.addHook('afterCreate', 'failing', failing);
      return Person.create({ name: 'Hook' }, { ...tx }).finally(() =>
        Person.removeHook('afterCreate', 'failing'),
      );
    },
  },
  'create whose before-hook throws': {
    throws: 'TypeError',
    run: ({ Person, tx }) => {
      Person.addHook('beforeCreate', 'failing', failing);
      return Person.create({ name: 'Hook' }, { ...tx }).finally(() =>
        Person.removeHook('beforeCreate', 'failing'),
      );
    },
  },
});
