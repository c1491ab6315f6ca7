import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';

export type AnyModel = ModelStatic<Model>;

/** What a random story is about: an integer key and every kind of value, a key of two columns, a paranoid model, and links. */
export function defineStoryModels(sequelize: Sequelize, schema: string) {
  const { TEXT, INTEGER, BIGINT, DECIMAL, DOUBLE, BOOLEAN, JSONB, DATE, DATEONLY, TIME, UUID } = DataTypes;
  const { BLOB, INET, ARRAY, RANGE, ENUM, JSON: JSON_TYPE } = DataTypes;
  const Item = sequelize.define(
    'Item',
    {
      id: { type: INTEGER, primaryKey: true },
      name: TEXT,
      size: { type: INTEGER, allowNull: false, defaultValue: 0 },
      big: BIGINT,
      worth: DECIMAL(12, 2),
      ratio: DOUBLE,
      ok: BOOLEAN,
      meta: JSONB,
      raw: JSON_TYPE,
      labels: ARRAY(TEXT),
      counts: ARRAY(INTEGER),
      state: { type: ENUM('new', 'open', 'done'), field: 'the state' },
      seen: DATE(6),
      day: DATEONLY,
      at: TIME,
      uuid: UUID,
      bytes: BLOB,
      ip: INET,
      span: RANGE(INTEGER),
      password: TEXT,
      hidden: TEXT,
    },
    // Sequelize puts enum types into the schema `public`, which all files share.
    { tableName: `items_${schema}`.slice(0, 40) },
  );
  const Slot = sequelize.define(
    'Slot',
    {
      row: { type: TEXT, primaryKey: true },
      number: { type: INTEGER, primaryKey: true, field: 'no' },
      guest: TEXT,
      count: { type: INTEGER, defaultValue: 0 },
    },
    { timestamps: false },
  );
  const Page = sequelize.define(
    'Page',
    { id: { type: INTEGER, primaryKey: true }, title: TEXT, views: { type: INTEGER, defaultValue: 0 } },
    { paranoid: true, version: true },
  );
  const Tag = sequelize.define(
    'Tag',
    { code: { type: TEXT, primaryKey: true }, name: TEXT },
    { timestamps: false },
  );
  const ItemTag = sequelize.define('ItemTag', {}, { timestamps: false });
  Item.hasMany(Page, { as: 'pages', foreignKey: 'itemId', onDelete: 'SET NULL' });
  Page.belongsTo(Item, { as: 'item', foreignKey: 'itemId', onDelete: 'SET NULL' });
  Item.belongsToMany(Tag, { as: 'tags', through: ItemTag, foreignKey: 'itemId', otherKey: 'tagCode' });
  Tag.belongsToMany(Item, { as: 'items', through: ItemTag, foreignKey: 'tagCode', otherKey: 'itemId' });
  return { Item, Slot, Page, Tag, ItemTag };
}

export type StoryModels = ReturnType<typeof defineStoryModels>;
export type Subject = 'Item' | 'Slot' | 'Page';
export const SUBJECTS: readonly Subject[] = ['Item', 'Slot', 'Page'];

/** Neither versions nor entries show the first two; a write that changes nothing but the others leaves no version. */
export const HIDDEN: ReadonlySet<string> = new Set(['password', 'hidden', 'updatedAt', 'version']);
