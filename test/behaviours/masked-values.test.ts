import { DataTypes, type Model } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const MASK = '********';
const database = testDatabase();
const { sequelize } = database;
const Plain = sequelize.define('Plain', {
  note: DataTypes.TEXT,
  number: DataTypes.INTEGER,
  flag: DataTypes.BOOLEAN,
  data: DataTypes.JSONB,
  at: DataTypes.DATE,
});
const Card = sequelize.define('Card', { card: DataTypes.TEXT, holder: DataTypes.TEXT });
const Account = sequelize.define('Account', { name: DataTypes.TEXT, password: DataTypes.TEXT });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Plain, { mask: ['note', 'number', 'flag', 'data', 'at'], snapshots: true });
auditLog.registerAudited(Card, { mask: { card: { keepLast: 4 } }, snapshots: true });
auditLog.registerAudited(Account);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test.each(['Sensitive data', '', 'a', '12345', 'confidential', MASK])(
  'H1 H6 H7 H9 H10 a masked text %p is stored as the fixed mask',
  async (note) => {
    const entry = await entryOf(auditLog, () => Plain.create({ note }));
    expect(entry.changes!['note']).toEqual([null, MASK]);
  },
);

test('H6 only null stays null, on both sides', async () => {
  const row = await Plain.create({ note: null });
  const [created] = await auditLog.LogEntry.forObject(row);
  expect(created!.changes).not.toHaveProperty('note');
  expect((await entryOf(auditLog, () => row.update({ note: '' }))).changes).toEqual({ note: [null, MASK] });
  expect((await entryOf(auditLog, () => row.update({ note: null }))).changes).toEqual({ note: [MASK, null] });
});

test('H2 H3 keepLast shows the end of a card number', async () => {
  const entry = await entryOf(auditLog, () => Card.create({ card: '1234567890123456', holder: 'ann' }));
  expect(entry.changes).toMatchObject({ card: [null, `${MASK}3456`], holder: [null, 'ann'] });
});

test('H5 in updates and deletes too', async () => {
  const card = await Card.create({ card: '1234567890123456' });
  const updated = await entryOf(auditLog, () => card.update({ card: '1234567890127654' }));
  expect(updated.changes).toEqual({ card: [`${MASK}3456`, `${MASK}7654`] });
  const deleted = await entryOf(auditLog, () => card.destroy());
  expect(deleted.changes!['card']).toEqual([`${MASK}7654`, null]);
});

test('H11 a mask holds in versions, for values of any type', async () => {
  const values = { note: 'hush', number: 42, flag: true, data: { deep: 'hush' }, at: new Date(0) };
  const row = await Plain.create(values);
  const [version] = await auditLog.audited(Plain).versions(row);
  const masked = { note: MASK, number: MASK, flag: MASK, data: MASK, at: MASK };
  expect(version!.get()).toMatchObject(masked);
  const [entry] = await auditLog.LogEntry.forObject(row);
  expect(entry!.changes).toMatchObject(
    Object.fromEntries(Object.keys(masked).map((name) => [name, [null, MASK]])),
  );
});

test('H11 keepLast holds in versions', async () => {
  const card = await Card.create({ card: '1234567890123456' });
  const [version] = await auditLog.audited(Card).versions(card);
  expect((version as Model).get('card')).toBe(`${MASK}3456`);
});

test('H13 H14 a password is masked on both sides without being listed', async () => {
  const account = await Account.create({ name: 'ann', password: 'first-hush' });
  const entry = await entryOf(auditLog, () => account.update({ password: 'second-hush' }));
  expect(entry.changes).toEqual({ password: [MASK, MASK] });
  expect(entry.describe()).toBe(
    `system updated password of Account ${String(account.get('id'))}: ${MASK} → ${MASK}`,
  );
  const all = await database.rows<{ text: string }>('select e::text as text from audit_log_entries e');
  expect(all.map(({ text }) => text).join('\n')).not.toContain('-hush');
});

test('H14 a pattern of its own reaches every registered model', async () => {
  const second = database.createSequelize();
  const own = createAuditLog(second, { mask: /^holder$/ });
  const One = second.define('Card', { card: DataTypes.TEXT, holder: DataTypes.TEXT });
  const Other = second.define('Account', { name: DataTypes.TEXT, password: DataTypes.TEXT });
  expect(own.registerAudited(One).masked).toEqual(['holder']);
  expect(own.registerAudited(Other).masked).toEqual([]);
});
