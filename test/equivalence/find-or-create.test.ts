import type { Model, ModelStatic } from 'sequelize';
import { people } from './person';
import { equivalence } from './support/equivalence';

// Where a race is lost, Sequelize reads by a second connection.
const tested = equivalence({ ...people, options: { pool: { max: 2 } } });

const bob = { name: 'Bob', handle: 'bob', age: 20 };
const prepare = ({ Person }: { readonly Person: ModelStatic<Model> }): Promise<unknown> => Person.create(bob);

tested.test({
  'findOrCreate that creates': {
    modes: ['autocommit', 'a transaction', 'a savepoint'],
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, where: { handle: 'bob' }, defaults: bob }),
  },
  'findOrCreate that finds': {
    prepare,
    entries: 0,
    modes: ['autocommit', 'a transaction', 'a savepoint'],
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, where: { handle: 'bob' }, defaults: bob }),
  },
  'findOrCreate that loses a race': {
    entries: 0,
    modes: ['autocommit', 'a transaction', 'a savepoint'],
    run: async ({ Person, database, tx }) => {
      const insert = `insert into people (name, handle, age, "createdAt", "updatedAt") values ('Bob', 'bob', 20, now(), '2026-01-01')`;
      const raced = async (): Promise<void> =>
        void (await database.admin.query(insert.replace('now()', `'2026-01-01'`)));
      Person.addHook('beforeCreate', 'racing', raced);
      return Person.findOrCreate({ ...tx, where: { handle: 'bob' }, defaults: bob }).finally(() =>
        Person.removeHook('beforeCreate', 'racing'),
      );
    },
  },
  'findOrCreate whose values are taken by another row': {
    throws: 'SequelizeUniqueConstraintError',
    prepare,
    run: ({ Person, tx }) =>
      Person.findOrCreate({ ...tx, where: { name: 'Rob' }, defaults: { handle: 'bob' } }),
  },
  'findOrCreate with a quote, a backslash and a dollar': {
    run: ({ Person, tx }) =>
      Person.findOrCreate({ ...tx, where: { handle: `b'o\\b $1 $$` }, defaults: { name: `O'B\\ $x$` } }),
  },
  'findOrCreate of some fields': {
    run: ({ Person, tx }) =>
      Person.findOrCreate({ ...tx, where: { name: 'Bob' }, defaults: bob, fields: ['name', 'age'] }),
  },
  'findOrCreate without hooks': {
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, where: { name: 'Bob' }, hooks: false }),
  },
  'findOrCreate that fails a validator': {
    throws: 'SequelizeValidationError',
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, where: { name: 'B' } }),
  },
  'findOrCreate without where': {
    throws: 'Error',
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, defaults: bob } as never),
  },
  'findOrCreate that breaks a check': {
    throws: 'SequelizeDatabaseError',
    modes: ['autocommit', 'a transaction', 'a savepoint'],
    run: ({ Person, tx }) => Person.findOrCreate({ ...tx, where: { name: 'Neg' }, defaults: { age: -1 } }),
  },
  'findOrCreate that breaks a check, and what its hook wrote': {
    modes: ['autocommit'],
    run: async ({ Person, tx }) => {
      const note = async (_: unknown, options: object): Promise<void> =>
        void (await Person.bulkCreate([{ name: 'By hook' }], {
          ...options,
          hooks: false,
          fields: ['name', 'createdAt', 'updatedAt'],
        } as never));
      Person.addHook('beforeCreate', 'noting', note);
      const created = Person.findOrCreate({ ...tx, where: { name: 'Neg' }, defaults: { age: -1 } });
      const failure = await created
        .catch((error: Error) => error.message)
        .finally(() => Person.removeHook('beforeCreate', 'noting'));
      return [failure, await Person.count({ ...tx })];
    },
    entries: 0,
  },
  'findOrCreate twice': {
    run: async ({ Person, tx }) => {
      const options = { ...tx, where: { handle: 'bob' }, defaults: bob };
      return [await Person.findOrCreate(options), await Person.findOrCreate(options)];
    },
  },
  'findOrCreate after a failure': {
    prepare,
    run: async ({ Person, tx }) => {
      const failed: unknown = await Person.findOrCreate({
        ...tx,
        where: { name: 'Rob' },
        defaults: { handle: 'bob' },
      }).catch((error: Error) => error.name);
      return [failed, await Person.create({ name: 'Zoe' }, { ...tx })];
    },
  },
  'findCreateFind that creates': {
    run: ({ Person, tx }) => Person.findCreateFind({ ...tx, where: { handle: 'bob' }, defaults: bob }),
  },
  'findCreateFind that finds': {
    prepare,
    entries: 0,
    run: ({ Person, tx }) => Person.findCreateFind({ ...tx, where: { handle: 'bob' }, defaults: bob }),
  },
  'findOrBuild and save': {
    run: async ({ Person, tx }) => {
      const [person, isBuilt] = await Person.findOrBuild({ ...tx, where: { handle: 'bob' }, defaults: bob });
      return [isBuilt, await person.save({ ...tx })];
    },
  },
  'findOrBuild that finds': {
    prepare,
    run: async ({ Person, tx }) => {
      const [person, isBuilt] = await Person.findOrBuild({ ...tx, where: { handle: 'bob' }, defaults: bob });
      return [isBuilt, await person.update({ age: 9 }, { ...tx })];
    },
  },
});

describe('findOrCreate of the same row by ten at once', () => {
  test.each(['plain', 'audited'] as const)('creates it once, %s', async (side) => {
    const { models, sequelize } = tested[side];
    await tested.tables.empty();
    const calls = Array.from({ length: 10 }, () =>
      models.Person.findOrCreate({ where: { handle: 'bob' }, defaults: bob }),
    );
    const created = (await Promise.all(calls)).filter(([, isCreated]) => isCreated);
    expect(created).toHaveLength(1);
    const state = await tested.tables.state();
    expect([state.rows.length, state.entries, state.openTransactions]).toEqual([
      1,
      side === 'audited' ? 1 : 0,
      0,
    ]);
    expect(await sequelize.query('select 1 as one', { plain: true })).toEqual({ one: 1 });
  });
});

describe('findOrCreate side by side in one transaction', () => {
  const handles = ['bob', 'cleo', 'bob', 'dora'];
  const inOne = async ({ models, sequelize }: (typeof tested)['plain']): Promise<unknown> => {
    await tested.tables.empty();
    return sequelize.transaction(async (transaction) => {
      const calls = handles.map((handle) =>
        models.Person.findOrCreate({ where: { handle }, defaults: { name: 'Any' }, transaction }),
      );
      const settled = await Promise.allSettled(calls);
      return settled.map((each) =>
        each.status === 'fulfilled' ? each.value[1] : (each.reason as Error).message,
      );
    });
  };

  test('answers the same with auditing on', async () => {
    const expected = await inOne(tested.plain);
    const rows = (await tested.tables.state()).rows.length;
    expect(await inOne(tested.audited)).toEqual(expected);
    expect((await tested.tables.state()).rows).toHaveLength(rows);
  });
});
