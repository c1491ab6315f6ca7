import { DataTypes, Model } from 'sequelize';
import { loadActors } from '../../lib/history/load-actors';
import { testDatabase } from '../support/database';
import { loggedBy } from '../support/statements';
import { auditFixture, defineModels, insert, insertEntry, Order, User, ORDER_HISTORY } from './fixture';

const database = testDatabase();
defineModels(database);
const { sequelize } = database;

class Member extends Model {}
Member.init(
  { id: { type: DataTypes.UUID, primaryKey: true }, deletedAt: DataTypes.DATE },
  { sequelize, updatedAt: false, createdAt: false, paranoid: true, defaultScope: { where: { id: null } } },
);

const audit = auditFixture(database, { actor: { model: User } });
const { LogEntry, settings } = audit;
const orders = audit.register(Order, { snapshots: ORDER_HISTORY });

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  await audit.sync();
});
beforeEach(async () => {
  await database.admin.query('truncate audit_log_entries, orders_history restart identity');
  await database.admin.query('truncate users restart identity cascade');
  await User.bulkCreate([{ email: 'ann@x' }, { email: 'bob@x' }]);
});
afterAll(() => database.close());

test('actors of many entries come in one query, entries of one actor share its row', async () => {
  for (const actor of ['1', '2', '1']) await insertEntry(database, { actor_id: actor, actor_type: 'User' });
  const entries = await LogEntry.findAll({ order: [['id', 'ASC']] });
  const sent = await loggedBy(sequelize, () => loadActors(settings, entries));
  expect(sent).toHaveLength(1);
  expect(entries.map((entry) => (entry.actor as User).email)).toEqual(['ann@x', 'bob@x', 'ann@x']);
  expect(entries[0]!.actor).toBe(entries[2]!.actor);
});

test('it returns what it was given', async () => {
  await insertEntry(database, { actor_id: '1' });
  const entries = await LogEntry.findAll();
  expect(await loadActors(settings, entries)).toBe(entries);
});

test('the option actors does it in the finder', async () => {
  await insertEntry(database, { actor_id: '2', actor_type: 'User' });
  const [entry] = await LogEntry.forObject(Order, 1, { actors: true });
  expect((entry!.actor as User).email).toBe('bob@x');
  const [without] = await LogEntry.forObject(Order, 1);
  expect(without!.actor).toBeUndefined();
});

test.each([
  ['nobody', { actor_id: null, actor_type: null }],
  ['one who is gone', { actor_id: '99', actor_type: 'User' }],
  ['one of another type', { actor_id: '1', actor_type: 'Robot' }],
  ['an id that is no number', { actor_id: 'cron', actor_type: 'User' }],
  ['an id beyond the key’s range', { actor_id: '99999999999', actor_type: 'User' }],
  ['an id with NUL’s relatives', { actor_id: "1'; --", actor_type: 'User' }],
])('%s is null, and breaks nothing for the others', async (_, actor) => {
  await insertEntry(database, actor);
  await insertEntry(database, { actor_id: '1', actor_type: 'User' });
  const entries = await LogEntry.findAll({ order: [['id', 'ASC']] });
  await loadActors(settings, entries);
  expect(entries[0]!.actor).toBeNull();
  expect((entries[1]!.actor as User).email).toBe('ann@x');
});

test('an actor without type may be one of the model', async () => {
  await insertEntry(database, { actor_id: '1' });
  const [entry] = await LogEntry.findAll();
  await loadActors(settings, [entry!]);
  expect((entry!.actor as User).email).toBe('ann@x');
});

test('without anything to load no query is sent', async () => {
  await insertEntry(database, { actor_id: 'cron' });
  const entries = await LogEntry.findAll();
  expect(await loggedBy(sequelize, () => loadActors(settings, entries))).toEqual([]);
  expect(await loggedBy(sequelize, () => loadActors(settings, []))).toEqual([]);
  expect(entries[0]!.actor).toBeNull();
});

test('without actor.model all actors are null', async () => {
  await insertEntry(database, { actor_id: '1' });
  const entries = await LogEntry.findAll();
  await loadActors(
    { ...settings, options: { ...settings.options, actor: { ...settings.options.actor, model: null } } },
    entries,
  );
  expect(entries[0]!.actor).toBeNull();
});

test('soft-deleted users and those outside a default scope are found, UUIDs in capitals too', async () => {
  const id = '0b2f8f3e-6a3c-4a53-9c64-0d0f3ab7e001';
  await insert(database, 'Members', { id, deletedAt: '2026-01-01' });
  await insertEntry(database, { actor_id: id.toUpperCase(), actor_type: 'Member' });
  await insertEntry(database, { actor_id: 'not-a-uuid', actor_type: 'Member' });
  const entries = await LogEntry.findAll({ order: [['id', 'ASC']] });
  await loadActors(
    { ...settings, options: { ...settings.options, actor: { ...settings.options.actor, model: Member } } },
    entries,
  );
  expect(entries.map((entry) => (entry.actor as Model | null)?.get('id') ?? null)).toEqual([id, null]);
});

test('H179 actors of versions are loaded by historyUserId', async () => {
  await insert(database, 'orders_history', {
    id: 1,
    status: 'x',
    history_date: '2026-01-01',
    history_type: '+',
    history_user_id: '2',
  });
  const [version] = await orders.versions(1, { actors: true });
  expect((version!.actor as User).email).toBe('bob@x');
});

test('inside a transaction its rows are read', async () => {
  await insertEntry(database, { actor_id: '3', actor_type: 'User' });
  await sequelize.transaction(async (transaction) => {
    await User.create({ email: 'new@x' }, { transaction });
    const [inside] = await LogEntry.byActor(3, { actors: true, transaction });
    expect((inside!.actor as User).email).toBe('new@x');
    const [outside] = await LogEntry.byActor(3, { actors: true });
    expect(outside!.actor).toBeNull();
  });
});
