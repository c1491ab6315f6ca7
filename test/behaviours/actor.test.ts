import { DataTypes, type Model } from 'sequelize';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { actionsOf, entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Order = sequelize.define('Order', { status: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize, { actor: { model: User } });
const { LogEntry } = auditLog;
auditLog.registerAudited(Order);
const handle = auditLog.registerAudited(User);

let ann: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  ann = await User.create({ email: 'ann@example.com' });
});
afterAll(() => database.close());

const idOf = (row: Model): string => String(row.get('id'));
const byAnn = () => ({ actorId: idOf(ann), actorLabel: 'ann@example.com', actorType: 'User' });
const byNobody = { actorId: null, actorLabel: null, actorType: null };

test('B1 without a context a create has no actor', async () => {
  expect(await entryOf(auditLog, () => Order.create({}))).toMatchObject(byNobody);
});

test('B2 without a context an update has no actor', async () => {
  const order = await Order.create({});
  expect(await entryOf(auditLog, () => order.update({ status: 'x' }))).toMatchObject(byNobody);
});

test('B4 B5 B6 in an actor context create, update and delete record the user', async () => {
  await withAuditContext({ actor: ann }, async () => {
    let order: Model;
    expect(await entryOf(auditLog, async () => (order = await Order.create({})))).toMatchObject(byAnn());
    expect(await entryOf(auditLog, () => order.update({ status: 'x' }))).toMatchObject(byAnn());
    expect(await entryOf(auditLog, () => order.destroy())).toMatchObject(byAnn());
  });
});

test.each([
  ['an id', () => ann.get('id') as number],
  ['an id as text', () => idOf(ann)],
  ['an object with an id', () => ({ id: ann.get('id') })],
])('B4 an actor given as %s is the same user, the label read from the row', async (_title, actor) => {
  const entry = await entryOf(auditLog, () => withAuditContext({ actor: actor() }, () => Order.create({})));
  expect(entry).toMatchObject(byAnn());
});

test('B8 after the user is deleted the entries stay, findable by the stored label', async () => {
  const bob = await User.create({ email: 'bob@example.com' });
  const order = await withAuditContext({ actor: bob }, () => Order.create({}));
  await withAuditContext({ actor: bob }, () => bob.destroy());
  const found = await LogEntry.findAll({ where: { actorLabel: 'bob@example.com' }, order: [['id', 'ASC']] });
  expect(found.map(({ action, model, objectPk }) => [action, model, objectPk])).toEqual([
    ['create', 'Order', idOf(order)],
    ['delete', 'User', idOf(bob)],
  ]);
  const [loaded] = await LogEntry.byActor(idOf(bob), { actors: true });
  expect(loaded!.actor).toBeNull();
});

test('B8 a renamed user keeps the old label on the old entries', async () => {
  const cid = await User.create({ email: 'cid@example.com' });
  await withAuditContext({ actor: cid }, () => Order.create({}));
  await cid.update({ email: 'cid@new.example' });
  const entry = await entryOf(auditLog, () =>
    withAuditContext({ actor: cid.get('id') as number }, () => Order.create({})),
  );
  const labels = (await LogEntry.byActor(cid)).map(({ actorLabel }) => actorLabel);
  expect(entry.actorLabel).toBe('cid@new.example');
  expect(labels).toEqual(['cid@new.example', 'cid@example.com']);
});

test('27 deleting the user by itself changes no entry', async () => {
  const dan = await User.create({ email: 'dan@example.com' });
  const own = await withAuditContext({ actor: dan }, () => Order.create({}));
  const [before] = await LogEntry.forObject(own);
  await dan.destroy();
  const [after] = await LogEntry.forObject(own);
  expect(after!.toJSON()).toEqual(before!.toJSON());
  expect(await handle.entries(idOf(dan))).toHaveLength(2);
});

test('B9 B10 a context with more than an actor behaves as the actor context, extras in additionalData', async () => {
  const context = { actor: ann, reason: 'audit', additionalData: { role: 'admin' } };
  const entry = await entryOf(auditLog, () => withAuditContext(context, () => Order.create({})));
  expect(entry).toMatchObject({ ...byAnn(), reason: 'audit', additionalData: { role: 'admin' } });
});

test('W1 W4 W5 intent travels with the call, on create, update and delete', async () => {
  const audit = { actor: ann, reason: 'ticket 9', additionalData: { batch: 7 } };
  const entries = await entriesOf(auditLog, async () => {
    const order = await Order.create({}, { audit });
    await order.update({ status: 'x' }, { audit });
    await order.destroy({ audit });
  });
  expect(actionsOf(entries)).toEqual(['create Order', 'update Order', 'delete Order']);
  for (const entry of entries)
    expect(entry).toMatchObject({ ...byAnn(), reason: 'ticket 9', additionalData: { batch: 7 } });
});

test('B12 extras of any name are kept, also those of columns of the log', async () => {
  const additionalData = { actorId: 'mallory', action: 'none', unknown: [1, { deep: null }] };
  const entry = await entryOf(auditLog, () =>
    withAuditContext({ actor: ann, additionalData }, () => Order.create({})),
  );
  expect(entry).toMatchObject({ ...byAnn(), action: 'create', additionalData });
});

test('B13 a context without an actor still stores address and port', async () => {
  const context = { remoteAddr: '203.0.113.9', remotePort: 4711 };
  const entry = await entryOf(auditLog, () => withAuditContext(context, () => Order.create({})));
  expect(entry).toMatchObject({ ...byNobody, remoteAddr: '203.0.113.9', remotePort: 4711 });
});
