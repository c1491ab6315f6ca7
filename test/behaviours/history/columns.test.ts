import { DataTypes, type HasOneGetAssociationMixin, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entriesOf, openAudited, rowOf } from '../../support/audited';
import { testDatabase } from '../../support/database';
import { loggedBy } from '../../support/statements';
import { storyOf } from '../../support/versions';

interface Owner extends Model {
  getPassport: HasOneGetAssociationMixin<Model>;
}

const database = testDatabase();
const { sequelize } = database;
const Place = sequelize.define('Place', {
  code: { type: DataTypes.CHAR(3), primaryKey: true },
  slug: { type: DataTypes.TEXT, unique: true },
});
const Person = sequelize.define<Owner>('Person', {
  name: { type: DataTypes.STRING(10), allowNull: false, unique: true, defaultValue: 'nobody' },
  path: DataTypes.STRING(40),
  position: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0, validate: { min: 0 } },
  ratio: DataTypes.DECIMAL(12, 4),
  motto: { type: DataTypes.TEXT, set: loud },
  serial: {
    type: DataTypes.UUID,
    defaultValue: sequelize.literal('gen_random_uuid()'),
    set: () => {
      throw new Error('serial is read-only');
    },
  },
  bornIn: { type: DataTypes.CHAR(3), references: { model: 'Places', key: 'code' } },
  motherId: { type: DataTypes.INTEGER, field: 'mother_id', references: { model: 'People', key: 'id' } },
});
const Passport = sequelize.define('Passport', { number: DataTypes.TEXT });

function loud(this: Model, value: unknown): void {
  this.setDataValue('motto', `${String(value)}!`);
}

Person.belongsTo(Place, { as: 'home', foreignKey: 'homeSlug', targetKey: 'slug', constraints: false });
Person.hasOne(Passport, { as: 'passport', foreignKey: { name: 'holderId', field: 'holder_id' } });
Passport.belongsTo(Person, { as: 'holder', foreignKey: { name: 'holderId', field: 'holder_id' } });

// One-to-one by the key itself, over two steps, to a text and to a number.
const Town = sequelize.define('Town', {
  code: { type: DataTypes.CHAR(3), primaryKey: true, references: { model: 'Places', key: 'code' } },
  mayor: DataTypes.TEXT,
});
const Capital = sequelize.define('Capital', {
  code: { type: DataTypes.CHAR(3), primaryKey: true, references: { model: 'Towns', key: 'code' } },
  since: DataTypes.INTEGER,
});
const Badge = sequelize.define('Badge', {
  personId: { type: DataTypes.INTEGER, primaryKey: true, references: { model: 'People', key: 'id' } },
  level: DataTypes.INTEGER,
});

/** Associations and the methods that they give to instances. */
const reachOf = () =>
  [Person, Passport, Place].map((model) => [
    Object.keys(model.associations),
    Object.getOwnPropertyNames(model.prototype).toSorted(),
  ]);

const auditLog = createAuditLog(sequelize);
const before = reachOf();
const people = auditLog.registerAudited(Person, { snapshots: true });
const passports = auditLog.registerAudited(Passport, { snapshots: true });
const oneToOne = [Town, Capital, Badge].map((model) =>
  auditLog.registerAudited<Model>(model, { snapshots: true }),
);

beforeAll(async () => {
  await openAudited(database, auditLog);
  await Place.bulkCreate([
    { code: 'BER', slug: 'berlin' },
    { code: 'ROM', slug: 'rome' },
  ]);
});
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
let named = 0;
const person = (values: object = {}): Promise<Owner> =>
  Person.create({ name: `p${(named += 1)}`, ...values });

test('H021 H022 H169 each version holds the foreign key of its time, null too', async () => {
  const [one, two] = [await person(), await person()];
  const passport = await Passport.create({ number: 'a', holderId: idOf(one) });
  await passport.update({ holderId: idOf(two) });
  await passport.update({ holderId: null });
  await one.destroy();
  expect(await storyOf(passports, passport, 'holderId')).toEqual([
    ['+', idOf(one)],
    ['~', idOf(two)],
    ['~', null],
  ]);
  await passport.update({ holderId: idOf(two) });
  expect((await passports.mostRecent(idOf(passport)))!.get('holderId')).toBe(idOf(two));
});

test('H237 H238 H239 a difference shows foreign keys as keys, without a query, also when their targets are gone', async () => {
  const [one, two] = [await person(), await person()];
  const passport = await Passport.create({ holderId: idOf(one) });
  await passport.update({ holderId: idOf(two) });
  const [newer, older] = await passports.versions(passport);
  const changes = [{ attribute: 'holderId', old: idOf(one), new: idOf(two) }];
  const compare = () => expect(newer!.diffAgainst(older!).changes).toEqual(changes);
  expect(await loggedBy(sequelize, compare)).toEqual([]);
  await Person.destroy({ where: { id: [idOf(one), idOf(two)] } });
  compare();
});

test('H023 H025 so does one to a key that is a text, and one to another unique column', async () => {
  const row = await person({ bornIn: 'BER', homeSlug: 'rome' });
  await row.update({ bornIn: null, homeSlug: 'berlin' });
  await row.update({ bornIn: 'ROM', homeSlug: null });
  expect(await storyOf(people, row, 'bornIn')).toEqual([
    ['+', 'BER'],
    ['~', null],
    ['~', 'ROM'],
  ]);
  expect(await storyOf(people, row, 'homeSlug')).toEqual([
    ['+', 'rome'],
    ['~', 'berlin'],
    ['~', null],
  ]);
});

test('H026 H115 a foreign key has the column of the table in its history too, the attribute in queries', async () => {
  const holder = await person();
  const passport = await Passport.create({ holderId: idOf(holder) });
  const [stored] = await database.rows('select holder_id from "Passports_history" where id = $1', [
    idOf(passport),
  ]);
  expect(stored).toEqual({ holder_id: idOf(holder) });
  expect(await passports.Snapshot.count({ where: { holderId: idOf(holder) } })).toBe(1);
  expect(passports.tracked).toEqual(['id', 'number', 'createdAt', 'updatedAt', 'holderId']);
});

test('H027 H095 tracking changes no association of the models, and adds none', async () => {
  await people.versions(1);
  expect(reachOf()).toEqual(before);
  expect(Object.keys(Person.associations)).toEqual(['home', 'passport']);
});

test('H029 H031 H126 H138 H139 E55 E59 columns of history have the type of the source, and neither limit nor constraint nor default', async () => {
  const columns = await database.rows<{ name: string; type: string; rules: string }>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       concat(a.attnotnull, a.atthasdef, (select count(*) from pg_constraint c
         where c.conrelid = a.attrelid and a.attnum = any (c.conkey))) as rules
     from pg_attribute a where a.attrelid = '"People_history"'::regclass and a.attnum > 0
       and a.attname !~ '^(history|log)_' order by a.attnum`,
  );
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'id integer',
    'name character varying',
    'path character varying',
    'position integer',
    'ratio numeric',
    'motto text',
    'serial uuid',
    'bornIn bpchar',
    'mother_id integer',
    'createdAt timestamp with time zone',
    'updatedAt timestamp with time zone',
    'homeSlug text',
  ]);
  expect(new Set(columns.map(({ rules }) => rules))).toEqual(new Set(['ff0']));
});

test('E55 what the source forbids later is still kept in its history, and what it allows later has room there', async () => {
  const row = await person({ path: 'x'.repeat(40) });
  await row.update({ path: 'short' });
  await row.update({ path: 'shorter' });
  await database.admin.query(
    `alter table "People" alter column "path" type varchar(20) using left("path", 20)`,
  );
  await database.admin.query(`alter table "People" add check ("path" <> 'short')`);
  expect((await storyOf(people, row, 'path')).map(([, path]) => path)).toEqual([
    'x'.repeat(40),
    'short',
    'shorter',
  ]);
  await database.admin.query('alter table "People" alter column "path" type text');
  const long = 'x'.repeat(400);
  await row.update({ path: long });
  expect((await people.mostRecent(idOf(row)))!.get('path')).toBe(long);
});

test('H030 E59 a column that the model may not set is recorded, and a setter is not run again', async () => {
  const row = await person({ motto: 'on' });
  const [version] = await people.versions(row);
  const { serial } = (await rowOf(Person, idOf(row)))!;
  expect(serial).toMatch(/^[0-9a-f-]{36}$/);
  expect([version!.get('serial'), version!.get('motto')]).toEqual([serial, 'on!']);
  expect(version!.toInstance().get('motto')).toBe('on!');
});

test('H037 E35 a version whose one-to-one target is gone is rebuilt; following it finds nothing', async () => {
  const row = await person();
  const passport = await Passport.create({ number: 'x', holderId: idOf(row) });
  await passport.destroy();
  const [version] = await people.versions(row);
  const instance = version!.toInstance();
  expect(idOf(instance)).toBe(idOf(row));
  expect(await instance.getPassport()).toBeNull();
});

test('H135 a foreign key to the model itself is plain data in the history, and points at nothing', async () => {
  const mother = await person();
  const child = await person({ motherId: idOf(mother) });
  await Person.update({ motherId: null }, { where: { id: idOf(child) } });
  await mother.destroy();
  expect(await storyOf(people, child, 'motherId')).toEqual([
    ['+', idOf(mother)],
    ['~', null],
  ]);
  expect(people.Snapshot.getAttributes().motherId).not.toHaveProperty('references');
  expect(Object.keys(people.Snapshot.associations)).toEqual(['logEntry']);
});

test('H137 one-to-one keys are plain columns: one row has many versions, over chains of keys too', async () => {
  const [town, capital, badge] = [
    await Town.create({ code: 'ROM', mayor: 'a' }),
    await Capital.create({ code: 'ROM', since: 1 }),
    await Badge.create({ personId: idOf(await person()), level: 1 }),
  ];
  const entries = await entriesOf(auditLog, async () => {
    await town.update({ mayor: 'b' });
    await capital.update({ since: 2 });
    await badge.update({ level: 2 });
  });
  expect(entries).toHaveLength(3);
  const stories = [town, capital, badge].map((row, at) => {
    const [key] = (row.constructor as typeof Model).primaryKeyAttributes;
    return storyOf(oneToOne[at]!, row, key!);
  });
  const keys = ['ROM', 'ROM', badge.get('personId')];
  expect(await Promise.all(stories)).toEqual(
    keys.map((key) => [
      ['+', key],
      ['~', key],
    ]),
  );
});
