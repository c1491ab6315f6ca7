import { DataTypes, fn, literal, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import type { Setting } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

/** One model with a column of every kind, validators, getters, setters and defaults, and hooks of every kind. */
function definePeople(sequelize: Sequelize, recorder: Recorder): { Person: ModelStatic<Model> } {
  const Person = sequelize.define(
    'Person',
    {
      name: { type: DataTypes.STRING(20), allowNull: false, validate: { len: [2, 500] } },
      email: {
        type: DataTypes.STRING,
        unique: { name: 'people_email', msg: 'That address is taken' },
        validate: { isEmail: true },
      },
      handle: { type: DataTypes.STRING, unique: true },
      age: { type: DataTypes.INTEGER, defaultValue: 18 },
      role: { type: DataTypes.ENUM('member', 'admin'), defaultValue: 'member' },
      settings: { type: DataTypes.JSONB, defaultValue: {} },
      notes: DataTypes.JSON,
      tags: DataTypes.ARRAY(DataTypes.STRING),
      scores: DataTypes.ARRAY(DataTypes.INTEGER),
      balance: DataTypes.DECIMAL(10, 2),
      visits: DataTypes.BIGINT,
      height: DataTypes.DOUBLE,
      avatar: DataTypes.BLOB,
      bio: DataTypes.TEXT,
      born: DataTypes.DATEONLY,
      seenAt: DataTypes.DATE,
      wakesAt: DataTypes.TIME,
      isActive: { type: DataTypes.BOOLEAN, defaultValue: true },
      token: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
      address: DataTypes.INET,
      displayName: { type: DataTypes.STRING, field: 'display_name' },
      code: { type: DataTypes.STRING, defaultValue: literal(`upper('x1')`) },
      short: { type: DataTypes.STRING, defaultValue: fn('lower', 'QUICK') },
      nick: {
        type: DataTypes.STRING,
        get(): string {
          return `~${String(this.getDataValue('nick'))}~`;
        },
        set(value: string) {
          this.setDataValue('nick', value.trim());
        },
      },
      label: {
        type: DataTypes.VIRTUAL(DataTypes.STRING, ['name']),
        get(): string {
          return `Person ${String(this.get('name'))}`;
        },
        set(value: string) {
          this.setDataValue('bio', value);
        },
      },
    },
    {
      tableName: 'people',
      hooks: recorder.hooksFor('definition'),
      validate: {
        noAdminChild(this: Model) {
          if (this.get('role') === 'admin' && Number(this.get('age')) < 18) throw new Error('Too young');
        },
      },
    },
  );
  for (const [hook, listener] of Object.entries(recorder.hooksFor('model')))
    Person.addHook(hook as 'afterCreate', listener);
  return { Person };
}

export const people: Setting<{ Person: ModelStatic<Model> }> = {
  define: definePeople,
  ddl: ['alter table people add constraint people_age check (age >= 0)'],
};

/** Values that every column takes. */
export const ada = {
  name: 'Ada',
  email: 'ada@example.org',
  handle: 'ada',
  age: 36,
  role: 'admin',
  settings: { theme: 'dark', nested: { list: [1, 2, { three: null }] } },
  notes: { b: 1, a: '\u0001' },
  tags: ['a', "b'c", 'd"e', 'f,g', ''],
  scores: [1, -2, 3],
  balance: '12.50',
  visits: '9007199254740993',
  height: 1.65,
  avatar: Buffer.from([0, 1, 254, 255]),
  bio: `it's \\ a "bio" $1 $tag$ ? :name ünï 💡\nline`,
  born: '1815-12-10',
  seenAt: new Date('2026-01-02T03:04:05.678Z'),
  wakesAt: '06:30:00',
  isActive: false,
  token: '11111111-1111-4111-8111-111111111111',
  address: '10.0.0.1',
  displayName: 'Ada L.',
  nick: '  al ',
};
