import { DataTypes, Model, Op, type ModelStatic, type Sequelize } from 'sequelize';
import { equivalence } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

type AnyModel = ModelStatic<Model>;

function define(sequelize: Sequelize, recorder: Recorder): { Post: AnyModel; Draft: AnyModel } {
  class Post extends Model {}
  Post.init(
    {
      title: DataTypes.STRING,
      state: { type: DataTypes.STRING, defaultValue: 'open' },
      secret: DataTypes.STRING,
    },
    {
      sequelize,
      hooks: recorder.hooksFor('Post'),
      defaultScope: { where: { state: 'open' }, attributes: { exclude: ['secret'] } },
      scopes: { closed: { where: { state: 'closed' } }, titled: (title: string) => ({ where: { title } }) },
    },
  );
  /** A second class over the same table. */
  class Draft extends Post {}
  Draft.init(
    {
      title: DataTypes.STRING,
      state: { type: DataTypes.STRING, defaultValue: 'draft' },
      secret: DataTypes.STRING,
    },
    { sequelize, tableName: Post.getTableName() as string, hooks: recorder.hooksFor('Draft') },
  );
  return { Post, Draft };
}

const tested = equivalence({ define, unregistered: ['Draft'] });

const prepare = ({ Post }: { Post: AnyModel }): Promise<unknown> =>
  Post.bulkCreate([{ title: 'a', secret: 's' }, { title: 'b' }, { title: 'c', state: 'closed' }]);

tested.test({
  'update under the default scope': {
    prepare,
    entries: 2,
    run: ({ Post, tx }) => Post.update({ title: 'x' }, { ...tx, where: {} }),
  },
  'update without scopes': {
    prepare,
    entries: 3,
    run: ({ Post, tx }) => Post.unscoped().update({ title: 'x' }, { ...tx, where: {} }),
  },
  'update under a scope': {
    prepare,
    entries: 1,
    run: ({ Post, tx }) =>
      Post.scope('closed').update({ title: 'x' }, { ...tx, where: { title: { [Op.ne]: 'z' } } }),
  },
  'update under a scope with an argument': {
    prepare,
    entries: 1,
    run: ({ Post, tx }) =>
      Post.scope({ method: ['titled', 'b'] }).update({ state: 'x' }, { ...tx, where: {}, returning: true }),
  },
  'destroy under a scope': {
    prepare,
    entries: 1,
    run: ({ Post, tx }) => Post.scope('closed').destroy({ ...tx, where: {} }),
  },
  'create under a scope': { run: ({ Post, tx }) => Post.scope('closed').create({ title: 'x' }, { ...tx }) },
  'bulkCreate without scopes': {
    entries: 2,
    run: ({ Post, tx }) => Post.unscoped().bulkCreate([{ title: 'x' }, { title: 'y' }], { ...tx }),
  },
  'upsert without scopes': {
    prepare,
    run: ({ Post, tx }) => Post.unscoped().upsert({ id: 1, title: 'x' }, { ...tx }),
  },
  'increment under a scope': {
    prepare,
    entries: 2,
    run: ({ Post, tx }) => Post.scope('closed').increment('id', { ...tx, by: 10, where: {} }),
  },
  'findOrCreate under a scope': {
    prepare,
    run: ({ Post, tx }) => Post.scope('closed').findOrCreate({ ...tx, where: { title: 'new' } }),
  },
  'update of an instance loaded by a scope': {
    prepare,
    run: async ({ Post, tx }) =>
      (await Post.scope('closed').findOne({ ...tx, rejectOnEmpty: true })).update(
        { state: 'open' },
        { ...tx },
      ),
  },
  'update of an instance without a hidden attribute': {
    prepare,
    run: async ({ Post, tx }) =>
      (await Post.findByPk(1, { ...tx, rejectOnEmpty: true })).update(
        { secret: 't' },
        { ...tx, returning: true },
      ),
  },
  'create by a second class': { run: ({ Draft, tx }) => Draft.create({ title: 'x' }, { ...tx }) },
  'update and destroy by a second class': {
    prepare,
    entries: 6,
    run: async ({ Draft, tx }) => [
      await Draft.update({ state: 'draft' }, { ...tx, where: {} }),
      await Draft.destroy({ ...tx, where: {} }),
    ],
  },
});
