import { fn, literal, type Model, type ModelStatic } from 'sequelize';
import { ada, people } from './person';
import { equivalence } from './support/equivalence';

const tested = equivalence(people);

interface World {
  readonly Person: ModelStatic<Model>;
}

const withAda = ({ Person }: World): Promise<unknown> => Person.create(ada);
const loaded = ({ Person }: World, options: object): Promise<Model> =>
  Person.findByPk(1, { ...options, rejectOnEmpty: true });

tested.test({
  'update of an instance': {
    prepare: withAda,
    run: async (world) => (await loaded(world, world.tx)).update({ name: 'Adele', age: 37 }, { ...world.tx }),
  },
  'update of every kind of column': {
    prepare: ({ Person }) => Person.create({ name: 'Bob' }),
    run: async (world) => (await loaded(world, world.tx)).update(ada, { ...world.tx }),
  },
  'update to nulls': {
    prepare: withAda,
    run: async (world) => {
      const nulls = {
        role: null,
        email: null,
        age: null,
        settings: null,
        tags: null,
        avatar: null,
        seenAt: null,
        code: null,
      };
      return (await loaded(world, world.tx)).update(nulls, { ...world.tx });
    },
  },
  'update with returning': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: 'Adele' }, { ...world.tx, returning: true }),
  },
  'update returning some columns': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update(
        { name: 'Adele' },
        { ...world.tx, returning: ['age', 'display_name'] },
      ),
  },
  'update without hooks': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: 'Adele' }, { ...world.tx, hooks: false }),
  },
  'silent update': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: 'Adele' }, { ...world.tx, silent: true }),
  },
  'update of some fields': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: 'Adele', age: 21 }, { ...world.tx, fields: ['age'] }),
  },
  'save of some fields': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).set({ name: 'Adele', age: 21 }).save({ ...world.tx, fields: ['name'] }),
  },
  'save with nothing changed': {
    prepare: withAda,
    entries: 0,
    run: async (world) => (await loaded(world, world.tx)).save({ ...world.tx }),
  },
  'update to the values that are there': {
    prepare: withAda,
    entries: 0,
    run: async (world) => (await loaded(world, world.tx)).update({ name: 'Ada', age: 36 }, { ...world.tx }),
  },
  'save of a changed timestamp only': {
    prepare: withAda,
    entries: 0,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      person.changed('updatedAt' as never, true);
      return person.save({ ...world.tx });
    },
  },
  'update with literals and functions': {
    prepare: withAda,
    run: async (world) => {
      const values = { age: literal('age + 1'), bio: fn('upper', `o'k \\`), code: literal(`'$1'`) };
      return (await loaded(world, world.tx)).update(values, { ...world.tx });
    },
  },
  'update with literals and returning': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ age: literal('age * 2') }, { ...world.tx, returning: true }),
  },
  'update of a path in jsonb': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).set('settings.nested.list', [4]).save({ ...world.tx }),
  },
  'update of a path in jsonb that is not there': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).set('settings.other.deep', 'x').save({ ...world.tx }),
  },
  'update of jsonb changed in place': {
    prepare: withAda,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      (person.get('settings') as Record<string, unknown>)['theme'] = 'light';
      person.changed('settings' as never, true);
      return person.save({ ...world.tx });
    },
  },
  'update through a virtual setter': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ label: 'new bio', nick: ' bo ' }, { ...world.tx }),
  },
  'update of a partially loaded instance': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, { ...world.tx, attributes: ['id', 'name'] })).update(
        { name: 'Adele', age: 36 },
        { ...world.tx },
      ),
  },
  'save of an instance without its key': {
    throws: 'Error',
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, { ...world.tx, attributes: ['name'] })).update({ name: 'Adele' }, { ...world.tx }),
  },
  'update of a missing row': {
    entries: 0,
    run: ({ Person, tx }) =>
      Person.build({ id: 9, name: 'None' }, { isNewRecord: false }).update({ name: 'Nobody' }, { ...tx }),
  },
  'update of a missing row with returning': {
    entries: 0,
    run: ({ Person, tx }) =>
      Person.build({ id: 9, name: 'None' }, { isNewRecord: false }).update(
        { name: 'Nobody' },
        { ...tx, returning: true },
      ),
  },
  'update of a stale instance': {
    prepare: withAda,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      await world.database.admin.query(`update people set age = 99, name = 'Else'`);
      return person.update({ age: 37, bio: 'mine' }, { ...world.tx });
    },
  },
  'update with a where of its own': {
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: 'Adele' }, { ...world.tx, where: { age: 1 } }),
  },
  'update of a key by setDataValue': {
    prepare: withAda,
    entries: 0,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      person.setDataValue('id', 5);
      return person.set('age', 33).save({ ...world.tx });
    },
  },
  'update, then another update of the same instance': {
    prepare: withAda,
    entries: 2,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      await person.update({ age: 40 }, { ...world.tx });
      return person.update({ age: 41, name: 'Adele' }, { ...world.tx });
    },
  },
  'update whose hook changes another field': {
    prepare: withAda,
    run: async (world) => {
      world.Person.addHook('beforeUpdate', 'changing', (person: Model) => void person.set('bio', 'by hook'));
      const person = await loaded(world, world.tx);
      return person
        .update({ age: 50 }, { ...world.tx })
        .finally(() => world.Person.removeHook('beforeUpdate', 'changing'));
    },
  },
  'update and reload': {
    prepare: withAda,
    run: async (world) => {
      const person = await loaded(world, world.tx);
      await person.update({ age: 51, tags: ['z'] }, { ...world.tx });
      return person.reload({ ...world.tx });
    },
  },
  'update that fails a validator': {
    throws: 'SequelizeValidationError',
    prepare: withAda,
    run: async (world) => (await loaded(world, world.tx)).update({ email: 'none' }, { ...world.tx }),
  },
  'update to a duplicate': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: async (world) => [
      await withAda(world),
      await world.Person.create({ name: 'Bob', handle: 'bob' }),
    ],
    run: async (world) => (await loaded(world, world.tx)).update({ handle: 'bob' }, { ...world.tx }),
  },
  'update that breaks a check': {
    throws: 'SequelizeDatabaseError',
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ age: -5 }, { ...world.tx, validate: false }),
  },
  'update to a text that is too long': {
    throws: 'SequelizeDatabaseError',
    prepare: withAda,
    run: async (world) => (await loaded(world, world.tx)).update({ name: 'n'.repeat(21) }, { ...world.tx }),
  },
  'update to null that the database forbids': {
    throws: 'SequelizeDatabaseError',
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ name: null }, { ...world.tx, validate: false }),
  },
  'update with a faulty literal': {
    throws: 'SequelizeDatabaseError',
    prepare: withAda,
    run: async (world) =>
      (await loaded(world, world.tx)).update({ age: literal('nowhere') }, { ...world.tx }),
  },
});
