import { DataTypes, type Transaction } from 'sequelize';
import { createAuditLog, withAuditContext, type UndoResult } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { Chance } from '../replay/random';
import { randomChanges } from './undo-chance';
import { openShop, tablesOf, undoShop } from './undo-shop';

const database = testDatabase();
const { sequelize } = database;
const shop = undoShop(sequelize);
const { auditLog, Customer, Order, Item, Shelf, Task, Tag, Visit, Secret } = shop;

beforeAll(() => openShop(database, shop));
afterAll(() => database.close());

/** The id of the transaction that `work` ran in. */
async function inTransaction(work: (transaction: Transaction) => Promise<unknown>): Promise<string> {
  return sequelize.transaction(async (transaction) => {
    await work(transaction);
    const [row] = await sequelize.query('select pg_current_xact_id()::text as id', { transaction });
    return (row as { id: string }[])[0]!.id;
  });
}

/** Undoes what `work` did and expects the tables as before; undoes that and expects them as after. */
async function thereAndBack(work: (transaction: Transaction) => Promise<unknown>): Promise<UndoResult> {
  const before = await tablesOf(shop);
  const id = await inTransaction(work);
  const after = await tablesOf(shop);
  expect(after).not.toEqual(before);
  const undone = await auditLog.revertTransaction(id);
  expect(await tablesOf(shop)).toEqual(before);
  await auditLog.revertTransaction(undone.transactionId!);
  expect(await tablesOf(shop)).toEqual(after);
  return undone;
}

test('fault 91: creates, updates and deletes of a transaction are undone together, with a row of its own for each', async () => {
  const customer = await Customer.create({ name: 'a' });
  const customerId = customer.get('id');
  const kept = await Order.create({
    customerId,
    total: '1.50',
    meta: { a: [1] },
    labels: ['x', 'y "z"'],
    dueAt: new Date(),
  });
  const gone = await Order.create({
    customerId,
    total: '2.50',
    meta: { n: 1 },
    labels: [],
    dueAt: new Date(5),
  });
  await Item.bulkCreate(
    [1, 2, 3].map((line) => ({ orderId: gone.get('id'), line: `l"${line}`, quantity: '9007199254740993' })),
  );
  const undone = await thereAndBack(async (transaction) => {
    await kept.update({ total: '9.99', meta: null, labels: null }, { transaction });
    await gone.destroy({ transaction });
    const other = await Customer.create({ name: 'b', code: 'B' }, { transaction });
    const order = await Order.create({ customerId: other.get('id') }, { transaction });
    await Item.create({ orderId: order.get('id'), line: '1' }, { transaction });
    await order.update({ status: 'paid' }, { transaction });
  });
  expect(undone.changes.map(({ model, action }) => `${action} ${model}`).toSorted()).toEqual([
    'create Item',
    'create Item',
    'create Item',
    'create Order',
    'delete Customer',
    'delete Item',
    'delete Order',
    'update Order',
  ]);
  expect(undone.entries).toHaveLength(8);
});

test('what a cascade removed comes back, circles, links and all, and the children that were set to null', async () => {
  const customer = await Customer.create({ name: 'circle' });
  const order = await Order.create({ customerId: customer.get('id') });
  await customer.update({ favouriteId: order.get('id') });
  await Item.create({ orderId: order.get('id'), line: 'a', quantity: '1' });
  const shelf = await Shelf.create({ place: 900 });
  await Task.create({ title: 't', shelfId: shelf.get('id') });
  const { changes } = await thereAndBack(async (transaction) => {
    await customer.destroy({ transaction });
    await shelf.destroy({ transaction });
  });
  expect(changes.map(({ model, action }) => `${action} ${model}`).toSorted()).toEqual([
    'create Customer',
    'create Item',
    'create Order',
    'create Shelf',
    'update Task',
  ]);
});

test('unique values that went round are given back, also where one statement changed them', async () => {
  const [a, b, c] = await Shelf.bulkCreate([1, 2, 3].map((place) => ({ place, badge: `b${place}` })));
  await thereAndBack(async (transaction) => {
    await a!.update({ place: 0 }, { transaction });
    await b!.update({ place: 1 }, { transaction });
    await c!.update({ place: 2 }, { transaction });
    await a!.update({ place: 3 }, { transaction });
  });
  await thereAndBack(async (transaction) => {
    await a!.destroy({ transaction });
    await Shelf.create({ place: 3, badge: 'b1', parentId: b!.get('id') }, { transaction });
  });
  await Shelf.bulkCreate([720, 719, 718].map((place) => ({ place })));
  const shifted = await thereAndBack((transaction) =>
    Shelf.increment('place', { by: 1, where: { place: [718, 719, 720] }, transaction }),
  );
  const restored = shifted.changes.map(({ changes }) => JSON.stringify(changes[0]?.after));
  expect(restored.toSorted()).toEqual(['718', '719', '720']);
});

test('self references, soft deletes, changed and reused keys', async () => {
  const root = await Shelf.create({ place: 50 });
  const task = await Task.create({ title: 'soft' });
  const parent = await Order.create({ status: 'paid' });
  await Item.create({ orderId: parent.get('id'), line: 'x' });
  await thereAndBack(async (transaction) => {
    const child = await Shelf.create({ place: 51, parentId: root.get('id') }, { transaction });
    await Shelf.create({ place: 52, parentId: child.get('id') }, { transaction });
    await task.destroy({ transaction });
    await Order.update({ id: 7_000 }, { where: { id: parent.get('id') as number }, transaction });
    await Order.update({ id: 7_001, total: '5' }, { where: { id: 7_000 }, transaction });
    await Item.create({ orderId: 7_001, line: 'y' }, { transaction });
  });
  await thereAndBack(async (transaction) => {
    await task.destroy({ force: true, transaction });
    await Task.create({ id: task.get('id'), title: 'another' }, { transaction });
  });
  const { skipped } = await thereAndBack((transaction) => Order.destroy({ where: {}, transaction }));
  expect(new Set(skipped.map(({ attribute }) => attribute))).toEqual(new Set(['internal', 'tags']));
});

test('links of registered and of unregistered through models', async () => {
  const [one, two] = await Tag.bulkCreate([{ name: 'one' }, { name: 'two' }]);
  const customer = await Customer.create({ name: 'member' });
  const order = await Order.create({ customerId: customer.get('id') });
  const links = order as unknown as Record<
    'addTag' | 'setTags',
    (tags: unknown, options?: object) => Promise<void>
  >;
  await links.addTag(one);
  await thereAndBack((transaction) => links.setTags([two], { transaction }));
  const groups = customer as unknown as Record<
    'createGroup',
    (values: object, options: object) => Promise<void>
  >;
  const { changes } = await thereAndBack((transaction) => groups.createGroup({}, { transaction }));
  expect(changes.map(({ model }) => model).toSorted()).toEqual(['Group', 'Membership']);
});

test('E44: a revert brings an object and its links back, not its child rows; undoing the transaction brings all rows back, and tells which links it can’t', async () => {
  const [tag] = await Tag.bulkCreate([{ name: 'linked' }]);
  const lost = async (): Promise<[orderId: number, transactionId: string]> => {
    const order = await Order.create({ total: '1.00' });
    const orderId = order.get('id') as number;
    await Item.bulkCreate([1, 2].map((line) => ({ orderId, line: `${line}` })));
    await (order as unknown as { addTag(each: unknown): Promise<void> }).addTag(tag);
    return [orderId, await inTransaction((transaction) => order.destroy({ transaction }))];
  };
  const found = async (orderId: number): Promise<unknown> => {
    const order = await Order.findByPk(orderId);
    const tags = await (order as unknown as { countTags(): Promise<number> }).countTags();
    return { tags, items: await Item.count({ where: { orderId } }) };
  };
  const [[reverted], [undone, id]] = [await lost(), await lost()];
  const orders = auditLog.audited(Order);
  const [, before] = await orders.entries(reverted);
  await orders.revert(reverted, { to: before! });
  const { skipped } = await auditLog.revertTransaction(id);
  expect([await found(reverted), await found(undone)]).toEqual([
    { tags: 1, items: 0 },
    { tags: 0, items: 2 },
  ]);
  expect(skipped).toContainEqual(
    expect.objectContaining({
      attribute: 'tags',
      why: expect.stringContaining('register the through model'),
    }),
  );
});

const conflict = { code: 'ERR_AUDIT_CONFLICT' };
const gap = { code: 'ERR_AUDIT_NOT_RESTORABLE' };

test('fault 86: a later change of the same attribute is not lost, unless forced; one of another attribute stays', async () => {
  const order = await Order.create({ status: 'new', total: '1.00' });
  const id = await inTransaction((transaction) => order.update({ status: 'paid' }, { transaction }));
  await order.update({ total: '2.00' });
  await order.update({ status: 'gone' });
  const refusal = await refusalOf(() => auditLog.revertTransaction(id));
  expect(refusal).toMatchObject(conflict);
  expect(refusal.message).toMatch(
    new RegExp(`Order ${String(order.get('id'))}: "status" was changed later, by entry \\d+`),
  );
  const dry = await auditLog.revertTransaction(id, { dryRun: true, force: true });
  expect(dry).toMatchObject({
    changes: [
      { model: 'Order', action: 'update', changes: [{ attribute: 'status', now: 'paid', after: 'new' }] },
    ],
    obstacles: [],
    entries: [],
    transactionId: null,
  });
  expect((await order.reload()).get('status')).toBe('gone');
  const { entries } = await auditLog.revertTransaction(id, { force: true, reason: 'by mistake' });
  expect(entries).toMatchObject([
    { reason: 'by mistake', additionalData: { revertOf: id }, action: 'update' },
  ]);
  expect((await order.reload()).get()).toMatchObject({ status: 'new', total: '2.00' });
});

test('writes that left no entry are found by their values', async () => {
  const order = await Order.create({ meta: { b: 1, a: 2 }, total: '1.00' });
  const id = await inTransaction((transaction) => order.update({ meta: { c: 1 } }, { transaction }));
  await order.update({ meta: { d: 1 } }, { audit: false });
  expect((await refusalOf(() => auditLog.revertTransaction(id))).message).toMatch(
    /"meta" was changed later by a write that left no entry/,
  );
  const made = await inTransaction((transaction) => Tag.create({ name: 'made' }, { transaction }));
  await Tag.update({ name: 'other' }, { where: { name: 'made' }, audit: false });
  expect(await refusalOf(() => auditLog.revertTransaction(made))).toMatchObject(conflict);
});

test('fault 88: a key that is used again, and rows that are gone', async () => {
  const tag = await Tag.create({ name: 'first' });
  const changed = await inTransaction((transaction) => tag.update({ name: 'second' }, { transaction }));
  const gone = await inTransaction((transaction) => tag.destroy({ transaction }));
  await Tag.create({ id: tag.get('id'), name: 'third' }, { audit: false });
  const taken = await refusalOf(() => auditLog.revertTransaction(gone, { force: true }));
  expect(taken).toMatchObject(conflict);
  expect(taken.message).toContain(`Tag ${String(tag.get('id'))}: its key is taken by another row now`);
  await Tag.destroy({ where: { id: tag.get('id') as number }, audit: false });
  expect((await refusalOf(() => auditLog.revertTransaction(changed, { force: true }))).message).toContain(
    'it is gone',
  );
  await auditLog.revertTransaction(gone);
  expect((await tag.reload()).get('name')).toBe('second');
});

test("later children that a cascade would take along are nobody's to remove, also when they are not audited", async () => {
  let customerId = 0;
  const id = await inTransaction(async (transaction) => {
    customerId = (await Customer.create({ name: 'visited' }, { transaction })).get('id') as number;
  });
  await Visit.create({ customerId });
  const refusal = await refusalOf(() => auditLog.revertTransaction(id, { force: true }));
  expect(refusal.message).toMatch(
    new RegExp(`Customer ${customerId}: 1 row of "visits" refer to it .* would remove them`),
  );
  await Visit.destroy({ where: { customerId } });
  expect((await auditLog.revertTransaction(id)).changes).toMatchObject([{ action: 'delete' }]);
});

test('fault 92: undone twice, and by two at once, nothing is applied twice', async () => {
  const tag = await Tag.create({ name: 'n' });
  const id = await inTransaction(async (transaction) => {
    await tag.update({ name: 'm' }, { transaction });
    await Tag.create({ name: 'made' }, { transaction });
  });
  const both = await Promise.allSettled([auditLog.revertTransaction(id), auditLog.revertTransaction(id)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(await refusalOf(() => auditLog.revertTransaction(id))).toMatchObject(conflict);
  expect((await tag.reload()).get('name')).toBe('n');
});

test('what was not recorded is not guessed: masks and digests refuse, untracked attributes are told', async () => {
  const secret = await Secret.create({ name: 'a', password: 'x', photo: Buffer.from('p') });
  const password = await inTransaction((transaction) =>
    secret.update({ password: 'y', name: 'b' }, { transaction }),
  );
  const refusal = await refusalOf(() => auditLog.revertTransaction(password));
  expect(refusal).toMatchObject(gap);
  expect(refusal.message).toContain('"password" is masked');
  const photo = await inTransaction((transaction) => secret.update({ photo: null }, { transaction }));
  expect((await refusalOf(() => auditLog.revertTransaction(photo))).message).toContain('only a digest');
  const removed = await inTransaction((transaction) => secret.destroy({ transaction }));
  const { obstacles } = await auditLog.revertTransaction(removed, { dryRun: true });
  expect(obstacles).toMatchObject([{ ...gap, model: 'Secret', attribute: 'password' }]);
  const made = await inTransaction((transaction) =>
    Secret.create({ name: 'c', password: 'z' }, { transaction }),
  );
  expect((await auditLog.revertTransaction(made)).changes).toHaveLength(1);
  const order = await Order.create({ internal: 'unrecorded' });
  const deleted = await inTransaction((transaction) => order.destroy({ transaction }));
  const skipped = (await auditLog.revertTransaction(deleted)).skipped.map(({ attribute }) => attribute);
  expect(skipped).toEqual(['internal', 'tags']);
  expect((await order.reload()).get('createdAt')).not.toBeNull();
});

test('a row that was there before its first entry comes back with its own createdAt where versions hold it', async () => {
  const orders = [7, 8].map((day) => ({ createdAt: new Date(Date.UTC(2020, 1, day, 3, 4, 5, 678)) }));
  const made = await Order.bulkCreate(orders, { audit: false });
  await made[0]!.update({ status: 'paid' });
  const rows = () =>
    Order.findAll({ where: { id: made.map((each) => each.get('id') as string) }, raw: true, order: ['id'] });
  const before = (await rows()).map((row) => (row as unknown as { createdAt: Date }).createdAt);
  expect(before).toEqual(orders.map(({ createdAt }) => createdAt));
  const id = await inTransaction((transaction) =>
    Order.destroy({ where: { id: made.map((each) => each.get('id') as string) }, transaction }),
  );
  expect(await rows()).toEqual([]);
  await auditLog.revertTransaction(id);
  expect((await rows()).map((row) => (row as unknown as { createdAt: Date }).createdAt)).toEqual(before);
});

test('fault 87: constraints refuse the whole and name the object', async () => {
  const tag = await Tag.create({ name: 'kept' });
  const shelf = await Shelf.create({ place: 300 });
  const id = await inTransaction(async (transaction) => {
    await tag.update({ name: 'changed' }, { transaction });
    await shelf.update({ place: 301 }, { transaction });
  });
  await Shelf.create({ place: 300 });
  const refusal = await refusalOf(() => auditLog.revertTransaction(id));
  expect(refusal).toMatchObject({ ...conflict, cause: { name: 'SequelizeUniqueConstraintError' } });
  expect(refusal.message).toContain(`Shelf ${String(shelf.get('id'))}`);
  expect((await tag.reload()).get('name')).toBe('changed');
});

test('a request is undone with all its transactions, its other entries are left alone', async () => {
  const correlationId = 'import-1';
  const tag = await Tag.create({ name: 'r0' });
  await withAuditContext({ correlationId }, async () => {
    await tag.update({ name: 'r1' });
    await tag.update({ name: 'r2' });
    await auditLog.logAccess(tag);
    await Tag.create({ name: 'r3' });
  });
  const { changes, entries } = await auditLog.revertRequest(correlationId);
  expect(changes.map(({ action }) => action)).toEqual(['update', 'delete']);
  expect(entries.every(({ additionalData }) => additionalData?.['revertOf'] === correlationId)).toBe(true);
  expect((await tag.reload()).get('name')).toBe('r0');
});

test('a transaction of the caller is joined and goes on after a refusal', async () => {
  const tag = await Tag.create({ name: 'joined' });
  const id = await inTransaction((transaction) => tag.update({ name: 'later' }, { transaction }));
  await sequelize.transaction(async (transaction) => {
    await auditLog.revertTransaction(id, { transaction });
    expect(await refusalOf(() => auditLog.revertTransaction(id, { transaction }))).toMatchObject(conflict);
    expect((await tag.reload({ transaction })).get('name')).toBe('joined');
  });
  expect((await tag.reload()).get('name')).toBe('joined');
});

test('what can not be undone is said in so many words', async () => {
  expect(await refusalOf(() => auditLog.revertTransaction('9223372036854775807'))).toMatchObject({
    code: 'ERR_AUDIT_NOT_THERE',
  });
  expect(await refusalOf(() => auditLog.revertRequest('unknown'))).toMatchObject({
    code: 'ERR_AUDIT_NOT_THERE',
  });
  expect(await refusalOf(() => auditLog.revertTransaction('x'))).toMatchObject({
    code: 'ERR_AUDIT_INVALID_ARGUMENT',
  });
  const misspelt = await refusalOf(() => auditLog.revertTransaction('1', { dryrun: true } as never));
  expect(misspelt.message).toContain('Did you mean "dryRun"?');
  const id = await inTransaction((transaction) => Secret.create({ name: 'u' }, { transaction }));
  auditLog.unregister(Secret);
  const unregistered = await refusalOf(() => auditLog.revertTransaction(id));
  auditLog.registerAudited(Secret);
  expect(unregistered).toMatchObject({ code: 'ERR_AUDIT_NOT_REGISTERED' });
  expect(unregistered.message).toContain('"Secret"');
});

test('values that one statement swapped: one of them is parked in null, or the undo is refused', async () => {
  const [a, b] = await Shelf.bulkCreate([801, 802].map((place) => ({ place, badge: `swap${place}` })));
  const where = { id: [a!.get('id') as number, b!.get('id') as number] };
  const swap = (column: string, expression: string): Promise<string> =>
    inTransaction(async (transaction) => {
      await sequelize.query(`alter table shelves drop constraint "shelves_${column}_key"`, { transaction });
      await Shelf.update({ [column]: sequelize.literal(expression) }, { where, transaction });
      await sequelize.query(`alter table shelves add constraint "shelves_${column}_key" unique (${column})`, {
        transaction,
      });
    });
  const badges = await swap('badge', `case badge when 'swap801' then 'swap802' else 'swap801' end`);
  await auditLog.revertTransaction(badges);
  expect([(await a!.reload()).get('badge'), (await b!.reload()).get('badge')]).toEqual([
    'swap801',
    'swap802',
  ]);
  const refusal = await refusalOf(async () =>
    auditLog.revertTransaction(await swap('place', '1603 - place')),
  );
  expect(refusal).toMatchObject(conflict);
  expect(refusal.message).toMatch(/Shelf \d+: .*shelves_place_key/);
});

test('a change that is not committed yet is waited for, and not lost', async () => {
  const tag = await Tag.create({ name: 'w0' });
  const id = await inTransaction((transaction) => tag.update({ name: 'w1' }, { transaction }));
  const other = await sequelize.transaction();
  await Tag.update({ name: 'w2' }, { where: { id: tag.get('id') as number }, transaction: other });
  const refusal = refusalOf(() => auditLog.revertTransaction(id));
  await other.commit();
  expect((await refusal).message).toContain('"name" was changed later');
  expect((await tag.reload()).get('name')).toBe('w2');
});

test('links that both sides track, and a transaction that undoes itself', async () => {
  auditLog.registerAudited(Tag, { associations: ['orders'] });
  const order = await Order.create({});
  const tag = await Tag.create({ name: 'both' });
  const links = order as unknown as Record<
    'addTag' | 'removeTag',
    (one: unknown, options: object) => Promise<void>
  >;
  const { entries } = await thereAndBack((transaction) => links.addTag(tag, { transaction }));
  expect(entries.map(({ model }) => model).toSorted()).toEqual(['Order', 'Tag']);
  const unlinked = await inTransaction((transaction) => links.removeTag(tag, { transaction }));
  await tag.destroy();
  const refusal = await refusalOf(() => auditLog.revertTransaction(unlinked, { force: true }));
  expect(refusal.message).toMatch(/the link of "(tags|orders)" to \d+ can't be made again/);
  await sequelize.transaction(async (transaction) => {
    await order.update({ total: '3.00' }, { transaction });
    const [row] = await sequelize.query('select pg_current_xact_id()::text as id', { transaction });
    const { id } = (row as { id: string }[])[0]!;
    const undone = await auditLog.revertTransaction(id, { transaction });
    expect(undone.entries.map(({ changes }) => changes)).toEqual([{ total: ['3.00', null] }]);
  });
  expect((await order.reload()).get('total')).toBeNull();
  auditLog.registerAudited(Tag);
});

test('tables in a schema of their own, unquoted identifiers, and a log elsewhere', async () => {
  const schema = await database.createSchema('other');
  const other = database.createSequelize({ quoteIdentifiers: false });
  const log = createAuditLog(other, { schema });
  const Parent = other.define(
    'Parent',
    { someName: DataTypes.TEXT },
    { schema, tableName: 'Parents', underscored: true },
  );
  const Child = other.define(
    'Child',
    { word: DataTypes.TEXT },
    { schema, tableName: 'Kids', timestamps: false },
  );
  Child.belongsTo(Parent, { foreignKey: 'parentId', onDelete: 'CASCADE' });
  log.registerAll({ options: { snapshots: true } });
  await Parent.sync();
  await Child.sync();
  await log.sync();
  const parent = await Parent.create({ someName: 'p' });
  const child = await Child.create({ word: 'c', parentId: parent.get('id') });
  await other.transaction(async (transaction) => {
    await parent.update({ someName: 'q' }, { transaction });
    await parent.destroy({ transaction });
    await Parent.create({ someName: 'r' }, { transaction });
  });
  const [entry] = await log.LogEntry.findAll({ order: [['id', 'DESC']], limit: 1 });
  const { changes } = await log.revertTransaction(entry!.transactionId!);
  expect(changes.map(({ model, action }) => `${action} ${model}`).toSorted()).toEqual([
    'create Child',
    'create Parent',
    'delete Parent',
  ]);
  expect((await parent.reload()).get('someName')).toBe('p');
  expect((await child.reload()).get('parentId')).toBe(parent.get('id'));
  const [version] = await log.audited(Parent).versions(parent.get('id') as number);
  expect(version).toMatchObject({ historyType: '+', someName: 'p' });
});

test('every type comes back exactly, under odd names, with identities and computed columns', async () => {
  await database.rows(`create type "mood" as enum ('a b', 'it''s')`);
  await database.rows(`create domain "short" as text check (length(value) < 20)`);
  const columns: readonly (readonly [name: string, type: string, one: string, two: string])[] = [
    ['ts', 'timestamp', `'2026-03-29 02:30:00.123456'`, `'-infinity'`],
    ['tsz', 'timestamptz', `'0044-03-15 10:00:00+00 BC'`, `'294000-01-01 00:00:00.5+00'`],
    ['d', 'date', `'infinity'`, `'0044-03-15 BC'`],
    ['tm', 'time', `'23:59:59.999999'`, `'24:00:00'`],
    ['num', 'numeric(30,10)', `'12345678901234567890.0123456789'`, `'NaN'`],
    ['f8', 'float8', `'1e-300'`, `'-Infinity'`],
    ['f4', 'real', `'0.1'`, `'16777216'`],
    ['ok', 'boolean', 'true', 'false'],
    ['uid', 'uuid', `'7d444840-9dc0-11d1-b245-5ffdce74fad2'`, `'00000000-0000-0000-0000-000000000000'`],
    ['ip', 'inet', `'10.0.0.1'`, `'2001:db8::/32'`],
    ['iv', 'interval', `'1 year 2 days 3.5 seconds'`, `'-1 month'`],
    ['ch', 'char(5)', `'ab'`, `'  c'`],
    ['vc', 'varchar(10)', `'"\\,{}'`, `''`],
    ['js', 'json', `'{"a": "\\u0000", "b": 1e5000}'`, `'"text"'`],
    ['jb', `jsonb not null default '{}'`, `'null'`, `'{"n": 12345678901234567890.123, "s": "\\"\\\\"}'`],
    ['ints', 'int[]', `'{{1,2},{3,NULL}}'`, `'{}'`],
    ['texts', 'text[]', `array['a,b', 'c"d', '\\', 'NULL', null, '']`, `'{{"x","{y}"}}'`],
    [
      'times',
      'timestamptz[]',
      `'{"2026-01-01 00:00:00.000001+00",NULL,"0001-01-01 00:00:00+00 BC"}'`,
      `'{}'`,
    ],
    ['locals', 'timestamp[]', `'{"2026-01-01 12:00:00"}'`, `'{infinity}'`],
    ['docs', 'jsonb[]', `array['{"a": [1]}', '[]']::jsonb[]`, `'{}'`],
    ['nums', 'numeric[]', `'{1.10,NaN}'`, `'{0.000}'`],
    ['moods', '"mood"[]', `'{"a b","it''s"}'`, `'{}'`],
    ['rng', 'int4range', `'[1,5)'`, `'empty'`],
    ['mood', '"mood"', `'it''s'`, `'a b'`],
    ['short', '"short"', `'s'`, `'t'`],
    ['bits', 'bit(3)', `'101'`, `'000'`],
    ['pt', 'point', `'(1.5,2)'`, `'(0,0)'`],
    ['vec', 'tsvector', `'a:1 b:2'`, `''`],
    ['select "$a"', 'text', `'q'`, `'r'`],
  ];
  const quoted = columns.map(([name]) => `"${name.replaceAll('"', '""')}"`);
  const definitions = columns.map(([, type], at) => `${quoted[at]} ${type}`);
  await database.rows(
    `create table "odd things" ("id" bigint generated always as identity, "at" timestamptz, "raw" bytea, ${definitions.join(', ')}, "gen" int generated always as (1) stored, primary key ("id", "at", "raw"))`,
  );
  const plain = Object.fromEntries(
    columns.filter(([name]) => !name.includes('"')).map(([name]) => [name, DataTypes.TEXT]),
  );
  const Odd = sequelize.define(
    'Odd',
    {
      id: { type: DataTypes.BIGINT, primaryKey: true },
      at: { type: DataTypes.DATE, primaryKey: true },
      raw: { type: DataTypes.BLOB, primaryKey: true },
      ...plain,
      gen: DataTypes.INTEGER,
    },
    { tableName: 'odd things', timestamps: false },
  );
  auditLog.registerAudited(Odd);
  const contents = (): Promise<unknown[]> =>
    database.rows(`select t::text from "odd things" t order by "id"`);
  const values = (side: 2 | 3): string => columns.map((each) => each[side]).join(', ');
  const insert = (side: 2 | 3): string =>
    `insert into "odd things" ("at", "raw", ${quoted.join(', ')}) values ('2026-01-01 00:00:00.123456+00', '\\x00ff', ${values(side)})`;
  await sequelize.query(insert(2));
  await sequelize.query(insert(3));
  await sequelize.query(`insert into "odd things" ("at", "raw") values ('infinity', '')`);
  const before = await contents();
  const assigned = columns
    .filter(([name]) => !name.includes('"'))
    .map(([name, , , two]) => `"${name}" = ${two}`);
  const changed = await inTransaction((transaction) =>
    sequelize.query(`update "odd things" set ${assigned.join(', ')} where "id" in (1, 3)`, { transaction }),
  );
  await auditLog.revertTransaction(changed);
  expect(await contents()).toEqual(before);
  const id = await inTransaction(async (transaction) => {
    await sequelize.query(`update "odd things" set ${assigned.join(', ')} where "id" = 1`, { transaction });
    await sequelize.query(`delete from "odd things" where "id" in (1, 2, 3)`, { transaction });
  });
  const updated = await inTransaction((transaction) => sequelize.query(insert(3), { transaction }));
  await auditLog.revertTransaction(updated);
  const { transactionId, skipped } = await auditLog.revertTransaction(id);
  const untracked = (rows: unknown[]): string => JSON.stringify(rows).replaceAll(/,[qr],1\)/g, ',,1)');
  expect(untracked(await contents())).toBe(untracked(before));
  expect(skipped.map(({ attribute }) => attribute)).toEqual(Array.from({ length: 3 }, () => 'select "$a"'));
  await auditLog.revertTransaction(transactionId!);
  expect(await contents()).toEqual([]);
});

const FULL = process.env['FULL'] === '1';
const SEEDS = FULL ? 200 : 2;

test('random transactions: undone the tables are as before, and that undone as after', async () => {
  auditLog.registerAudited(sequelize.model('order_tags'));
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const chance = new Chance(seed);
    await inTransaction((transaction) => randomChanges(shop, chance, transaction));
    const before = await tablesOf(shop);
    const id = await inTransaction((transaction) => randomChanges(shop, chance, transaction));
    const after = await tablesOf(shop);
    if (!(await auditLog.LogEntry.findOne({ where: { transactionId: id } }))) continue;
    const { transactionId, entries } = await auditLog.revertTransaction(id);
    expect({ seed, tables: await tablesOf(shop) }).toEqual({ seed, tables: before });
    if (entries.length > 0) await auditLog.revertTransaction(transactionId!);
    expect({ seed, tables: await tablesOf(shop) }).toEqual({ seed, tables: after });
  }
}, 600_000);

test('entries of several models are undone at once, a thousand of them within seconds', async () => {
  const [many, some] = FULL ? [650, 350] : [6, 3];
  const customer = await Customer.create({ name: 'many' });
  const customerId = customer.get('id') as number;
  const orders = await Order.bulkCreate(Array.from({ length: many }, () => ({ customerId })));
  const items = orders.slice(0, some).map((order) => ({ orderId: order.get('id') as number, line: '1' }));
  await Item.bulkCreate(items);
  const before = await tablesOf(shop);
  const id = await inTransaction(async (transaction) => {
    await Order.destroy({ where: { id: items.map(({ orderId }) => orderId) }, transaction });
    await Order.update({ status: 'paid' }, { where: { customerId }, transaction });
  });
  const start = performance.now();
  const { entries } = await auditLog.revertTransaction(id);
  if (FULL) process.stderr.write(`${entries.length} entries: ${Math.round(performance.now() - start)} ms\n`);
  expect(entries).toHaveLength(many + some);
  expect(await tablesOf(shop)).toEqual(before);
}, 600_000);
