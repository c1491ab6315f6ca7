import { col, fn, literal, type Model, type ModelStatic } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

interface World {
  readonly Person: ModelStatic<Model>;
}

const crowd = ({ Person }: World): Promise<unknown> =>
  Person.bulkCreate([
    ada,
    { name: 'Bob', age: 20 },
    { name: 'Cleo', age: 20, tags: ['x'] },
    { name: 'Dora', age: 60 },
  ]);

tested.test({
  'update of several rows': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'twenty' }, { ...tx, where: { age: 20 } }),
  },
  'update of several rows with returning': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'twenty' }, { ...tx, where: { age: 20 }, returning: true }),
  },
  'update of several rows returning some columns': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update({ bio: 'twenty' }, { ...tx, where: { age: 20 }, returning: ['id', 'display_name'] }),
  },
  'update of no rows': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) => Person.update({ bio: 'none' }, { ...tx, where: { age: 1 } }),
  },
  'update of no rows with returning': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) => Person.update({ bio: 'none' }, { ...tx, where: { age: 1 }, returning: true }),
  },
  'update of every row': {
    prepare: crowd,
    entries: 4,
    run: ({ Person, tx }) => Person.update({ age: 5 }, { ...tx, where: {} }),
  },
  'update without where': {
    throws: 'AssertionError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: 5 }, { ...tx } as never),
  },
  'update of rows that have the value already': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ age: 20 }, { ...tx, where: {} }),
  },
  'update with individual hooks': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update({ bio: 'one' }, { ...tx, where: { age: 20 }, individualHooks: true }),
  },
  'update with individual hooks and returning': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update({ bio: 'one' }, { ...tx, where: { age: 20 }, individualHooks: true, returning: true }),
  },
  'update with individual hooks that make rows differ': {
    prepare: crowd,
    entries: 2,
    isUnordered: true,
    run: ({ Person, tx }) => {
      Person.addHook(
        'beforeUpdate',
        'differing',
        (person: Model) => void person.set('code', String(person.get('id'))),
      );
      const updated = Person.update({ bio: 'one' }, { ...tx, where: { age: 20 }, individualHooks: true });
      return updated.finally(() => Person.removeHook('beforeUpdate', 'differing'));
    },
  },
  'update with individual hooks of no rows': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) =>
      Person.update({ bio: 'one' }, { ...tx, where: { age: 1 }, individualHooks: true }),
  },
  'update without hooks': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'x' }, { ...tx, where: { age: 20 }, hooks: false }),
  },
  'silent update': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'x' }, { ...tx, where: { age: 20 }, silent: true }),
  },
  'update of some fields': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update({ bio: 'x', code: 'y' }, { ...tx, where: { age: 20 }, fields: ['code'] }),
  },
  'update with a limit, which Sequelize ignores': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'x' }, { ...tx, where: { age: 20 }, limit: 1 }),
  },
  'update without validation': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update({ email: null, name: 'y' }, { ...tx, where: { age: 20 }, validate: false }),
  },
  'update without side effects': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ label: 'bio' }, { ...tx, where: { age: 20 } }),
  },
  'update of an unknown attribute only': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) => Person.update({ unknown: 1 }, { ...tx, where: { age: 20 } }),
  },
  'update of nothing': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) => Person.update({}, { ...tx, where: { age: 20 } }),
  },
  'update of undefined': {
    prepare: crowd,
    entries: 0,
    run: ({ Person, tx }) => Person.update({ bio: undefined }, { ...tx, where: { age: 20 } }),
  },
  'update with literals, functions and columns': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) =>
      Person.update(
        { age: literal('"age" + 1'), bio: fn('concat', col('name'), ` it's $1`), code: col('short') },
        { ...tx, where: { age: 20 } },
      ),
  },
  'update of every kind of column': {
    prepare: crowd,
    run: ({ Person, tx }) =>
      Person.update({ ...ada, name: 'Eve' }, { ...tx, where: { id: 1 }, returning: true }),
  },
  'update of a key': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ id: 100 }, { ...tx, where: { id: 2 }, returning: true }),
  },
  'update of keys that swap': {
    prepare: crowd,
    entries: 8,
    run: ({ Person, tx }) => Person.update({ id: literal('id + 10') }, { ...tx, where: {} }),
  },
  'update with a benchmark': {
    prepare: crowd,
    entries: 2,
    run: ({ Person, tx }) => Person.update({ bio: 'x' }, { ...tx, where: { age: 20 }, benchmark: true }),
  },
  'update with a log of its own': {
    prepare: crowd,
    entries: 2,
    run: async ({ Person, tx }) => {
      const lines: string[] = [];
      await Person.update({ bio: 'x' }, { ...tx, where: { age: 20 }, logging: (line) => lines.push(line) });
      return lines.map((line) => line.replace(/\([^)]*\)/, ''));
    },
  },
  'update that fails a validator': {
    throws: 'SequelizeValidationError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ email: 'none' }, { ...tx, where: { age: 20 } }),
  },
  'update to a duplicate': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ handle: 'same' }, { ...tx, where: { age: 20 } }),
  },
  'update to duplicate keys': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ id: 9 }, { ...tx, where: {} }),
  },
  'update that breaks a check': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: -1 }, { ...tx, where: {} }),
  },
  'update to a text that is too long': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ name: 'n'.repeat(21) }, { ...tx, where: {} }),
  },
  'update to text where a number belongs': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: 'old' }, { ...tx, where: { id: 1 }, validate: false }),
  },
  'update with a faulty literal': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: literal('nowhere') }, { ...tx, where: { id: 1 } }),
  },
  'update that divides by zero': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: literal('1 / ("age" - 20)') }, { ...tx, where: {} }),
  },
  'update with an unknown column in where': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: 1 }, { ...tx, where: { nowhere: 1 } }),
  },
  'update with text where a number belongs in where': {
    throws: 'SequelizeDatabaseError',
    prepare: crowd,
    run: ({ Person, tx }) => Person.update({ age: 1 }, { ...tx, where: { age: 'old' } }),
  },
});
