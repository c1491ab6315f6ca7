import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { hostname, port, username, password, pathname } = new URL(database.url);
const server = {
  host: hostname,
  port,
  username,
  password: decodeURIComponent(password),
  database: pathname.slice(1),
};
const searchPath = `-c search_path=${database.schema}`;

/** The read connections refuse to write, as those to a replica do. */
const sequelize = database.createSequelize({
  replication: {
    write: { ...server },
    read: [
      {
        ...server,
        dialectOptions: { options: `${searchPath} -c default_transaction_read_only=on` },
      } as never,
    ],
  },
});
const auditLog = createAuditLog(sequelize);
const Simple = sequelize.define('Simple', { text: DataTypes.TEXT });
auditLog.registerAudited(Simple, { snapshots: true });

beforeAll(async () => {
  await openAudited(database, auditLog);
  await sequelize.sync();
  await auditLog.sync();
});
afterAll(() => database.close());

test('the read connection does refuse to write', async () => {
  const [row] = await sequelize.query('show transaction_read_only', { type: 'SELECT' as never });
  expect(row).toEqual({ transaction_read_only: 'on' });
});

test('A19 the entry of a row loaded from a replica goes to the primary', async () => {
  const { id } = (await Simple.create({ text: 'old' })).get() as { id: number };
  const row = (await Simple.findByPk(id))!;
  const entry = await entryOf(auditLog, () => row.update({ text: 'new' }));
  expect(entry.changes).toEqual({ text: ['old', 'new'] });
  expect((await entryOf(auditLog, () => row.destroy())).action).toBe('delete');
});

test('A19 so do entries that no change makes', async () => {
  const row = await Simple.create({ text: 'seen' });
  expect((await entryOf(auditLog, () => auditLog.logAccess(row))).action).toBe('access');
  expect((await entryOf(auditLog, () => auditLog.log(row, { action: 'approve' }))).action).toBe('approve');
});
