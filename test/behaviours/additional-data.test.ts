import { DataTypes, type BelongsToManyAddAssociationMixin, type Model } from 'sequelize';
import { addAuditData, createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { entriesOf, entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

interface OrderRow extends Model {
  addTag: BelongsToManyAddAssociationMixin<Model, number>;
}

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define<OrderRow>('Order', { status: DataTypes.TEXT });
const Tag = sequelize.define('Tag', { name: DataTypes.TEXT });
Order.belongsToMany(Tag, { through: 'order_tags', as: { singular: 'tag', plural: 'tags' } });
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { associations: ['tags'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

test('I1 without extras additionalData is null', async () => {
  expect((await entryOf(auditLog, () => Order.create({}))).additionalData).toBeNull();
  const entry = await entryOf(auditLog, () =>
    withAuditContext({ additionalData: {} }, () => Order.create({})),
  );
  expect(entry.additionalData).toBeNull();
});

test('I3 with extras a create still leaves one entry', async () => {
  const entry = await entryOf(auditLog, () => Order.create({}, { audit: { additionalData: { ticket: 9 } } }));
  expect(entry).toMatchObject({ action: 'create', additionalData: { ticket: 9 } });
});

test('I4 an entry of a link carries the extras, of the context and of the call', async () => {
  const [order, tag] = [await Order.create({}), await Tag.create({ name: 'x' })];
  const link = () =>
    withAuditContext({ additionalData: { job: 'import' } }, () =>
      order.addTag(tag, { audit: { additionalData: { n: 1 } } }),
    );
  const entry = await entryOf(auditLog, link);
  expect(entry.additionalData).toEqual({ job: 'import', n: 1 });
  expect(entry.changes).toMatchObject({ tags: { type: 'm2m', added: [{ pk: String(tag.get('id')) }] } });
});

test('extras of nested contexts and of addAuditData are merged, the inner winning', async () => {
  const entries = await entriesOf(auditLog, () =>
    withAuditContext({ additionalData: { a: 1, b: 1 } }, async () => {
      await withAuditContext({ additionalData: { b: 2 } }, async () => {
        addAuditData({ c: 3 });
        await Order.create({}, { audit: { additionalData: { c: 4, d: 5 } } });
      });
      await Order.create({});
    }),
  );
  expect(entries.map(({ additionalData }) => additionalData)).toEqual([
    { a: 1, b: 2, c: 4, d: 5 },
    { a: 1, b: 1 },
  ]);
});
