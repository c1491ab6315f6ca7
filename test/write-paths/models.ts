import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { strangeModels } from './strange-models';

export type AnyModel = ModelStatic<Model>;

/** People and what hangs on them: hasOne, hasMany, belongsTo, by a nullable key without cascade. */
function people(sequelize: Sequelize) {
  const Account = sequelize.define(
    'Account',
    {
      name: DataTypes.STRING,
      nick: {
        type: DataTypes.VIRTUAL,
        get(this: Model) {
          return `~${String(this.getDataValue('name'))}`;
        },
        set(this: Model, value: string) {
          this.set('name', value.slice(1));
        },
      },
      code: { type: DataTypes.STRING, unique: true },
      age: { type: DataTypes.INTEGER, defaultValue: 0 },
      balance: DataTypes.DECIMAL(12, 2),
      score: DataTypes.DOUBLE,
      status: DataTypes.ENUM('new', 'open', 'closed'),
      meta: DataTypes.JSONB,
      notes: DataTypes.JSON,
      tags: DataTypes.ARRAY(DataTypes.STRING),
      seen: DataTypes.DATE,
      email: {
        type: DataTypes.STRING,
        get(this: Model) {
          return `<${String(this.getDataValue('email'))}>`;
        },
        set(this: Model, value: string) {
          this.setDataValue('email', value.toLowerCase());
        },
        validate: { isEmail: true },
      },
      password: DataTypes.STRING,
      internal: DataTypes.STRING,
    },
    {
      scopes: { open: { where: { status: 'open' } }, aged: (age: number) => ({ where: { age } }) },
      hooks: {
        beforeUpdate(account, options) {
          if ('hooked' in options) account.set('score', 42);
        },
      },
    },
  );
  const Profile = sequelize.define('Profile', { motto: DataTypes.TEXT });
  const Post = sequelize.define('Post', { title: DataTypes.STRING });
  Account.hasOne(Profile, { as: 'profile', foreignKey: 'accountId' });
  Profile.belongsTo(Account, { as: 'account', foreignKey: 'accountId' });
  Account.hasMany(Post, { as: 'posts', foreignKey: 'authorId' });
  Post.belongsTo(Account, { as: 'author', foreignKey: 'authorId' });
  class Member extends Account {}
  return { Account, Profile, Post, Member: Member as AnyModel };
}

/** Many to many: through an unregistered table, through a registered model, tracked and untracked. */
function linked(sequelize: Sequelize, Post: AnyModel) {
  const Tag = sequelize.define('Tag', { name: DataTypes.STRING });
  const Label = sequelize.define('Label', { name: DataTypes.STRING });
  Post.belongsToMany(Tag, { as: 'tags', through: 'post_tags', foreignKey: 'postId', otherKey: 'tagId' });
  Tag.belongsToMany(Post, { as: 'posts', through: 'post_tags', foreignKey: 'tagId', otherKey: 'postId' });
  Post.belongsToMany(Label, { as: 'labels', through: 'post_labels' });
  Label.belongsToMany(Post, { as: 'posts', through: 'post_labels' });
  const Student = sequelize.define('Student', { name: DataTypes.STRING });
  const Course = sequelize.define('Course', { title: DataTypes.STRING });
  const Enrolment = sequelize.define('Enrolment', { grade: DataTypes.INTEGER });
  Course.belongsToMany(Student, {
    as: 'students',
    through: Enrolment,
    foreignKey: 'courseId',
    otherKey: 'studentId',
  });
  Student.belongsToMany(Course, {
    as: 'courses',
    through: Enrolment,
    foreignKey: 'studentId',
    otherKey: 'courseId',
  });
  return { Tag, Label, Student, Course, Enrolment };
}

/** What the database itself removes or empties when a parent goes. */
function cascading(sequelize: Sequelize) {
  const Order = sequelize.define('Order', { number: DataTypes.STRING });
  const Item = sequelize.define('Item', { name: DataTypes.STRING });
  const Part = sequelize.define('Part', { name: DataTypes.STRING });
  const Memo = sequelize.define('Memo', { text: DataTypes.STRING });
  Order.hasMany(Item, { as: 'items', foreignKey: 'orderId', onDelete: 'CASCADE' });
  Item.belongsTo(Order, { as: 'order', foreignKey: 'orderId', onDelete: 'CASCADE' });
  Item.hasMany(Part, { as: 'parts', foreignKey: 'itemId', onDelete: 'CASCADE' });
  Order.hasMany(Memo, { as: 'memos', foreignKey: 'orderId', onDelete: 'SET NULL' });
  const Category = sequelize.define('Category', { name: DataTypes.STRING });
  Category.hasMany(Category, { as: 'children', foreignKey: 'parentId', onDelete: 'CASCADE' });
  const Team = sequelize.define('Team', { name: DataTypes.STRING });
  const Player = sequelize.define('Player', { name: DataTypes.STRING });
  Team.hasMany(Player, { as: 'players', foreignKey: 'teamId', onDelete: 'CASCADE', hooks: true });
  return { Order, Item, Part, Memo, Category, Team, Player };
}

/** Soft deletion, optimistic locking, columns that bear other names. */
function managed(sequelize: Sequelize) {
  const Paper = sequelize.define(
    'Paper',
    { title: DataTypes.STRING, body: DataTypes.TEXT },
    { paranoid: true },
  );
  const Draft = sequelize.define(
    'Draft',
    { title: { type: DataTypes.STRING, unique: true } },
    { paranoid: true, underscored: true, deletedAt: 'binnedAt', updatedAt: false },
  );
  const Ledger = sequelize.define(
    'Ledger',
    {
      ledgerId: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, field: 'lid' },
      entryName: { type: DataTypes.STRING, field: 'Ent Nm' },
      amountDue: { type: DataTypes.DECIMAL(10, 3), field: 'amt' },
      dueOn: DataTypes.DATEONLY,
      pinToken: { type: DataTypes.STRING, field: 'pin_token' },
      order: DataTypes.INTEGER,
    },
    { underscored: true, version: true },
  );
  return { Paper, Draft, Ledger };
}

/** Every kind of key. */
function keyed(sequelize: Sequelize) {
  const { STRING, INTEGER, UUID, UUIDV4, BIGINT, DATEONLY } = DataTypes;
  const Seat = sequelize.define(
    'Seat',
    { row: { type: STRING, primaryKey: true }, number: { type: INTEGER, primaryKey: true }, guest: STRING },
    { timestamps: false },
  );
  const Device = sequelize.define('Device', {
    id: { type: UUID, primaryKey: true, defaultValue: UUIDV4 },
    model: STRING,
  });
  const Country = sequelize.define('Country', { iso: { type: STRING, primaryKey: true }, name: STRING });
  const Event = sequelize.define('Event', {
    id: { type: BIGINT, primaryKey: true, autoIncrement: true },
    what: STRING,
  });
  const Rate = sequelize.define('Rate', {
    day: { type: DATEONLY, primaryKey: true },
    percent: DataTypes.DECIMAL,
  });
  return { Seat, Device, Country, Event, Rate };
}

/** Tables whose DDL is their own: defaults, triggers, generated columns, partitions. */
function made(sequelize: Sequelize) {
  const { STRING, INTEGER, DATE, DECIMAL } = DataTypes;
  const options = { timestamps: false };
  const Offer = sequelize.define(
    'Offer',
    { name: STRING, slug: STRING, base: INTEGER, doubled: INTEGER, made: DATE, rounded: DECIMAL(10, 1) },
    { ...options, tableName: 'offers' },
  );
  const Vault = sequelize.define('Vault', { name: STRING }, { ...options, tableName: 'vaults' });
  const Reading = sequelize.define(
    'Reading',
    { zone: STRING, value: INTEGER },
    { ...options, tableName: 'readings' },
  );
  const Fresh = sequelize.define(
    'Fresh',
    { email: DataTypes.CITEXT, nickname: DataTypes.CITEXT },
    { ...options, tableName: 'fresh' },
  );
  return { Offer, Vault, Reading, Fresh };
}

export const MADE_TABLES = `
  create table offers (
    id serial primary key, name text default 'from the database', slug text, base int not null default 21,
    doubled int generated always as (base * 2) stored, made timestamptz default '2020-02-02 02:02:02.020202+00', rounded numeric
  );
  create function tidy_offer() returns trigger language plpgsql as $$
    begin new.slug := lower(new.name); new.rounded := round(new.rounded, 1); return new; end $$;
  create trigger tidy before insert or update on offers for each row execute function tidy_offer();
  create table vaults (id serial primary key, name text);
  create function guard_vault() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then return case when new.name = 'barred' then null else new end; end if;
      if old.name = 'sealed' then return null; end if;
      return case when tg_op = 'DELETE' then old else new end;
    end $$;
  create trigger guard before insert or update or delete on vaults for each row execute function guard_vault();
  create table readings (id serial, zone text, value int) partition by list (zone);
  create table readings_north partition of readings for values in ('north');
  create table readings_south partition of readings for values in ('south');
`;

/** Every type of column. */
function typed(sequelize: Sequelize) {
  const {
    STRING,
    CHAR,
    TEXT,
    INTEGER,
    SMALLINT,
    BIGINT,
    REAL,
    DOUBLE,
    DECIMAL,
    BOOLEAN,
    DATE,
    DATEONLY,
    TIME,
  } = DataTypes;
  const { UUID, ENUM, INET, CIDR, MACADDR, RANGE, BLOB, JSON: JSON_TYPE, JSONB, ARRAY } = DataTypes;
  return sequelize.define('Sample', {
    string: STRING(80),
    char: CHAR(6),
    text: TEXT,
    small: SMALLINT,
    integer: INTEGER,
    big: BIGINT,
    real: REAL,
    double: DOUBLE,
    exact: DECIMAL(20, 6),
    bool: BOOLEAN,
    date: DATE,
    dateonly: DATEONLY,
    time: TIME,
    uuid: UUID,
    mood: ENUM('glad', 'sad', 'it\'s "so" so'),
    inet: INET,
    cidr: CIDR,
    mac: MACADDR,
    span: RANGE(INTEGER),
    period: RANGE(DATE),
    blob: BLOB,
    json: JSON_TYPE,
    jsonb: JSONB,
    texts: ARRAY(TEXT),
    integers: ARRAY(INTEGER),
    bigs: ARRAY(BIGINT),
    doubles: ARRAY(DOUBLE),
    exacts: ARRAY(DECIMAL),
    dates: ARRAY(DATE),
    days: ARRAY(DATEONLY),
    moods: ARRAY(ENUM('glad', 'sad')),
    uuids: ARRAY(UUID),
    jsons: ARRAY(JSONB),
    blobs: ARRAY(BLOB),
    grid: ARRAY(ARRAY(INTEGER)),
  });
}

/** Written around the writes that are tried, and left alone by all of them. */
function markerOf(sequelize: Sequelize): AnyModel {
  const Marker = sequelize.define('Marker', { text: DataTypes.STRING });
  // Not even sequelize.truncate() is to find it.
  sequelize.modelManager.removeModel(Marker);
  return Marker;
}

/** All models of the fixture; `otherSchema` lies outside the search path. */
export function defineModels(sequelize: Sequelize, otherSchema: string) {
  const persons = people(sequelize);
  return {
    ...persons,
    ...linked(sequelize, persons.Post),
    ...cascading(sequelize),
    ...managed(sequelize),
    ...keyed(sequelize),
    ...made(sequelize),
    ...strangeModels(sequelize),
    Sample: typed(sequelize),
    Shelf: sequelize.define('Shelf', { label: DataTypes.STRING }, { schema: otherSchema }),
    Marker: markerOf(sequelize),
    /** Not registered. */
    Scrap: sequelize.define('Scrap', { text: DataTypes.STRING }),
  };
}

export type Models = ReturnType<typeof defineModels>;
