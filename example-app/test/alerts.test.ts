import { closeTestShop, openTestShop, type Visitor } from './support/shop';
import type { ModelAuditedEvent } from 'sequelize-auditlog';
import { until } from '../../test/support/until';
import { auditLog, LogEntry } from '../src/audit';
import { sequelize } from '../src/database';
import { startDomainEvents } from '../src/domain-events/start';
import { Alert, Product, User } from '../src/models';

let ada: Visitor;
let alice: Visitor;
let sam: Visitor;
let stop: () => void;
const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);

beforeAll(async () => {
  ({ admin: ada, sales: alice, support: sam } = await openTestShop());
  stop = startDomainEvents();
});

afterAll(async () => {
  stop();
  await closeTestShop();
});

/** The alerts that `work` leads to; its last event shows that all before it were told. */
async function alertsOf(work: () => Promise<unknown>): Promise<string[]> {
  const before = await Alert.count();
  warned.mockClear();
  let isOver = false;
  const hear = (event: ModelAuditedEvent): void => {
    isOver ||= event.modelName === 'Tag';
  };
  auditLog.on('audited', hear);
  await work();
  await sequelize.models['Tag']!.create({ name: `end ${Math.random()}` });
  await until(() => isOver);
  auditLog.off('audited', hear);
  await until(async () => (await Alert.count()) - before === warned.mock.calls.length);
  return (await Alert.findAll({ order: ['id'], offset: before })).map(({ text }) => text);
}

const home = async (visitor: Visitor): Promise<{ alerts: { text: string; entryId: string }[] }> =>
  (await visitor.get('/').expect(200)).body;

test('a change of a user is an alert: a line for the log collector, and a sentence on the home page, without the password', async () => {
  const user = await User.findOne({ where: { role: 'support' }, rejectOnEmpty: true });
  const alerts = await alertsOf(() => user.update({ role: 'admin', passwordHash: 'scrypt:secret' }));
  await user.update({ role: 'support' }, { audit: false });
  expect(alerts).toEqual([expect.stringMatching(/^system updated .*role.* of User sam@shop.example/)]);
  expect(JSON.stringify([alerts, warned.mock.calls])).not.toContain('scrypt:secret');
  const [entry] = await LogEntry.forObject(user);
  expect(JSON.parse(warned.mock.lastCall![0] as string)).toEqual({
    level: 'warn',
    event: 'sensitive_model_changed',
    modelName: 'User',
    instanceId: String(user.id),
    action: 'update',
    changedFields: ['passwordHash', 'role'],
    changedById: null,
    correlationId: null,
    entryId: entry!.id,
  });
});

test('a price that alice changes is one that ada and sam see, and follow to the entry', async () => {
  const [text] = await alertsOf(() => alice.patch('/products/1').send({ price: '11.00' }).expect(200));
  expect(text).toBe('alice@shop.example updated price of Tea (TEA-1): 10.00 → 11.00');
  for (const visitor of [ada, sam]) {
    const [newest] = (await home(visitor)).alerts;
    expect(newest?.text).toBe(text);
    await visitor.get(`/audit/e/${newest?.entryId}`).expect(200);
  }
  const page = await sam.get('/').set('Accept', 'text/html').expect(200);
  expect(page.text).toContain('10.00 → 11.00');
  expect((await home(alice)).alerts).toEqual([]);
});

test('what is not sensitive, and what was rolled back, is none', async () => {
  const alerts = await alertsOf(async () => {
    await alice.post('/products/1/stock').send({ by: 5 }).expect(200);
    await Product.create({ sku: 'NEW-1', name: 'Jar', price: '3.00' });
    const undone = sequelize.transaction(async (transaction) => {
      await Product.update({ price: '1.00' }, { where: { id: 1 }, transaction });
      throw new Error('rolled back');
    });
    await expect(undone).rejects.toThrow('rolled back');
  });
  expect(alerts).toEqual([]);
});
