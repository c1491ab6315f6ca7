import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { equivalence, type Setting } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

interface World {
  readonly Counter: ModelStatic<Model>;
}

function define(sequelize: Sequelize, recorder: Recorder): { Counter: ModelStatic<Model> } {
  const Counter = sequelize.define(
    'Counter',
    {
      name: DataTypes.STRING,
      views: { type: DataTypes.INTEGER, defaultValue: 0 },
      score: { type: DataTypes.DECIMAL(10, 2), field: 'the_score', defaultValue: 0 },
      large: { type: DataTypes.BIGINT, defaultValue: '9007199254740993' },
      ratio: { type: DataTypes.DOUBLE, defaultValue: 0.1 },
    },
    { tableName: 'counters', hooks: recorder.hooksFor('definition') },
  );
  return { Counter };
}

const setting: Setting<{ Counter: ModelStatic<Model> }> = {
  define,
  ddl: [
    'alter table counters add column unknown_to_model text default \'extra\', add column "Odd ""Name" int default 7',
    'alter table counters add constraint counters_views check (views < 1000)',
  ],
};

const tested = equivalence(setting);

const prepare = ({ Counter }: World): Promise<unknown> =>
  Counter.bulkCreate([{ name: 'a' }, { name: 'b', views: 5 }, { name: 'b', views: null }]);
const first = ({ Counter }: World, tx: object): Promise<Model> =>
  Counter.findByPk(1, { ...tx, rejectOnEmpty: true });

tested.test({
  'increment of an instance': {
    prepare,
    run: async (world) => (await first(world, world.tx)).increment('views', { ...world.tx }),
  },
  'increment of an instance by an amount': {
    prepare,
    run: async (world) => (await first(world, world.tx)).increment('views', { ...world.tx, by: 3 }),
  },
  'increment of several attributes': {
    prepare,
    run: async (world) =>
      (await first(world, world.tx)).increment(
        { views: 2, score: 1.25, large: 1, ratio: 0.2 },
        { ...world.tx },
      ),
  },
  'increment of a list of attributes': {
    prepare,
    run: async (world) =>
      (await first(world, world.tx)).increment(['views', 'score'], { ...world.tx, by: 2 }),
  },
  'increment that leaves the instance as it is': {
    prepare,
    run: async (world) => {
      const counter = await first(world, world.tx);
      await counter.increment('views', { ...world.tx });
      return counter;
    },
  },
  'increment of an instance without returning': {
    prepare,
    run: async (world) =>
      (await first(world, world.tx)).increment('views', { ...world.tx, returning: false } as object),
  },
  'increment of a missing row': {
    entries: 0,
    run: ({ Counter, tx }) => Counter.build({ id: 9 }, { isNewRecord: false }).increment('views', { ...tx }),
  },
  'decrement of an instance': {
    prepare,
    run: async (world) => (await first(world, world.tx)).decrement('views', { ...world.tx, by: 4 }),
  },
  'increment, then decrement by the same': {
    prepare,
    entries: 2,
    run: async (world) => {
      const counter = await first(world, world.tx);
      await counter.increment('views', { ...world.tx });
      return counter.decrement('views', { ...world.tx });
    },
  },
  'static increment': {
    prepare,
    entries: 1,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, where: { name: 'b' } }),
  },
  'static increment of every attribute': {
    prepare,
    entries: 2,
    run: ({ Counter, tx }) => Counter.increment({ views: 1, score: -0.5 }, { ...tx, where: { name: 'b' } }),
  },
  'static increment without returning': {
    prepare,
    entries: 1,
    run: ({ Counter, tx }) =>
      Counter.increment('views', { ...tx, where: { name: 'b' }, returning: false } as never),
  },
  'static increment of all rows': {
    prepare,
    entries: 2,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, where: {} }),
  },
  'static increment of no rows': {
    prepare,
    entries: 0,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, where: { name: 'none' } }),
  },
  'static decrement by a fraction': {
    prepare,
    entries: 3,
    run: ({ Counter, tx }) => Counter.decrement('score', { ...tx, by: 0.1, where: {} }),
  },
  'silent increment': {
    prepare,
    entries: 1,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, where: { name: 'b' }, silent: true }),
  },
  'increment by zero': {
    prepare,
    entries: 0,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, by: 0, where: {} }),
  },
  'increment that breaks a check': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, by: 2000, where: { name: 'b' } }),
  },
  'increment that leaves the range': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Counter, tx }) => Counter.increment('views', { ...tx, by: 2 ** 31, where: { name: 'b' } }),
  },
  'increment of an unknown column': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Counter, tx }) => Counter.increment('nowhere', { ...tx, where: { name: 'b' } }),
  },
  'increment of a text': {
    throws: 'SequelizeDatabaseError',
    prepare,
    run: ({ Counter, tx }) => Counter.increment('name', { ...tx, where: { name: 'b' } }),
  },
  'increments side by side': {
    prepare,
    entries: 4,
    isUnordered: true,
    modes: ['a transaction'],
    run: async ({ Counter, tx }) => {
      const one = { ...tx, where: { id: 1 } };
      await Promise.all([1, 2, 3, 4].map((by) => Counter.increment('views', { ...one, by })));
      return Counter.findByPk(1, { ...tx });
    },
  },
});
