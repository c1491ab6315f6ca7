import { fn, literal } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

tested.test({
  'create of a row with every kind of column': { run: ({ Person, tx }) => Person.create(ada, { ...tx }) },
  'create of a row with nothing but defaults': {
    run: ({ Person, tx }) => Person.create({ name: 'Bob' }, { ...tx }),
  },
  'create of a row of nulls': {
    run: ({ Person, tx }) =>
      Person.create(
        { name: 'Bob', age: null, settings: null, tags: null, code: null, avatar: null },
        { ...tx },
      ),
  },
  'create without returning': { run: ({ Person, tx }) => Person.create(ada, { ...tx, returning: false }) },
  'create returning some columns': {
    run: ({ Person, tx }) => Person.create(ada, { ...tx, returning: ['id', 'code'] }),
  },
  'create of some fields': {
    run: ({ Person, tx }) => Person.create(ada, { ...tx, fields: ['name', 'age'] }),
  },
  'silent create': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) => Person.create(ada, { ...tx, silent: true }),
  },
  'create without hooks': { run: ({ Person, tx }) => Person.create(ada, { ...tx, hooks: false }) },
  'create without validation': {
    run: ({ Person, tx }) => Person.create({ name: 'x', email: 'none' }, { ...tx, validate: false }),
  },
  'raw create': { run: ({ Person, tx }) => Person.create(ada, { ...tx, raw: true }) },
  'create through a virtual setter': {
    run: ({ Person, tx }) => Person.create({ name: 'Cleo', label: 'from a label' }, { ...tx }),
  },
  'create with literals and functions': {
    run: ({ Person, tx }) =>
      Person.create(
        { name: literal(`'L' || 'it'`), bio: fn('upper', `o'k`), age: literal('1 + 2') },
        { ...tx, validate: false },
      ),
  },
  'create with a key of its own': {
    run: ({ Person, tx }) => Person.create({ id: 77, name: 'Dora' }, { ...tx }),
  },
  'create with an empty array and an empty object': {
    run: ({ Person, tx }) =>
      Person.create({ name: 'Eve', tags: [], scores: [], settings: {}, notes: [] }, { ...tx }),
  },
  'create with a json null and a json string': {
    run: ({ Person, tx }) => Person.create({ name: 'Eve', settings: 'text', notes: null }, { ...tx }),
  },
  'create with numbers as strings and strings as numbers': {
    run: ({ Person, tx }) =>
      Person.create({ name: 'Fay', age: '7', balance: 1.005, visits: 12, height: '2.5' }, { ...tx }),
  },
  'create with NaN and infinity': {
    run: ({ Person, tx }) => Person.create({ name: 'Gus', height: Number.NaN }, { ...tx }),
  },
  'create with a year before Christ': {
    throws: 'SequelizeDatabaseError',
    run: ({ Person, tx }) =>
      Person.create({ name: 'Gaius', seenAt: new Date('-000043-03-15T12:00:00Z') }, { ...tx }),
  },
  'create that logs its binds': {
    run: ({ Person, tx }) => Person.create(ada, { ...tx, logQueryParameters: true }),
  },
  'create with a benchmark': { run: ({ Person, tx }) => Person.create(ada, { ...tx, benchmark: true }) },
  'build and save': { run: ({ Person, tx }) => Person.build(ada).save({ ...tx }) },
  'build, set and save of some fields': {
    run: ({ Person, tx }) =>
      Person.build({ name: 'Hal' })
        .set('age', 5)
        .set('bio', 'unsaved')
        .save({ ...tx, fields: ['name', 'age'] }),
  },
  'saving twice': {
    entries: 2,
    run: async ({ Person, tx }) => {
      const person = await Person.build({ name: 'Ida' }).save({ ...tx });
      return person.set('age', 6).save({ ...tx });
    },
  },
  'several creates one after the other': {
    entries: 3,
    run: async ({ Person, tx }) => {
      const first = await Person.create({ name: 'One' }, { ...tx });
      const second = await Person.create({ name: 'Two' }, { ...tx });
      return [first, second, await Person.create({ name: 'Three', age: 3 }, { ...tx })];
    },
  },
  'several creates at once': {
    entries: 5,
    isUnordered: true,
    modes: ['a transaction'],
    run: ({ Person, tx }) =>
      Promise.all(['Aa', 'Bb', 'Cc', 'Dd', 'Ee'].map((name) => Person.create({ name }, { ...tx }))),
  },
});
