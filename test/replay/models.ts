import { DataTypes, type ModelStatic, type Model, type Sequelize } from 'sequelize';

export type AnyModel = ModelStatic<Model>;

/** Models that a random history writes to. */
export function defineModels(sequelize: Sequelize) {
  const { STRING, INTEGER, JSONB, DECIMAL, DATE, ARRAY, ENUM } = DataTypes;
  const Folder = sequelize.define('Folder', {
    code: { type: STRING, unique: true },
    name: STRING,
    size: { type: INTEGER, allowNull: false, defaultValue: 0 },
    worth: DECIMAL(12, 2),
    meta: JSONB,
    labels: ARRAY(STRING),
    state: ENUM('new', 'open', 'done'),
    seen: DATE,
    password: STRING,
  });
  const Leaf = sequelize.define('Leaf', { name: STRING, size: { type: INTEGER, defaultValue: 0 } });
  const Remark = sequelize.define('Remark', { text: STRING });
  const Page = sequelize.define(
    'Page',
    { title: STRING, views: { type: INTEGER, defaultValue: 0 } },
    { paranoid: true },
  );
  const Topic = sequelize.define('Topic', { name: STRING });
  const Slot = sequelize.define('Slot', {
    row: { type: STRING, primaryKey: true },
    number: { type: INTEGER, primaryKey: true },
    guest: STRING,
    count: { type: INTEGER, defaultValue: 0 },
  });
  Folder.hasMany(Leaf, {
    as: 'leaves',
    foreignKey: { name: 'folderId', allowNull: false },
    onDelete: 'CASCADE',
  });
  Folder.hasMany(Remark, { as: 'remarks', foreignKey: 'folderId', onDelete: 'SET NULL' });
  Folder.belongsToMany(Topic, {
    as: 'topics',
    through: 'folder_topics',
    foreignKey: 'folderId',
    otherKey: 'topicId',
  });
  Topic.belongsToMany(Folder, {
    as: 'folders',
    through: 'folder_topics',
    foreignKey: 'topicId',
    otherKey: 'folderId',
  });
  return { Folder, Leaf, Remark, Page, Topic, Slot };
}

export type Models = ReturnType<typeof defineModels>;
