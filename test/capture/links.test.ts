import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase({ logging: false });
const { sequelize } = database;
beforeAll(() => database.open());
afterAll(() => database.close());

test('links', async () => {
  const log = createAuditLog(sequelize);
  const Order: any = sequelize.define('Order', { status: DataTypes.STRING });
  const Tag: any = sequelize.define('Tag', { name: DataTypes.STRING });
  Order.belongsToMany(Tag, { as: 'tags', through: 'order_tags' });
  Tag.belongsToMany(Order, { as: 'orders', through: 'order_tags' });
  log.registerAudited(Order, { associations: ['tags'] });
  log.registerAudited(Tag, { repr: 'Tag {name}' });
  await sequelize.sync();
  await log.sync();
  const dump = async (title: string) => {
    const rows = await database.rows('select action, model, object_pk, object_repr, changes from audit_log_entries order by id');
    console.log(title, rows.map((r) => JSON.stringify(r)).join('\n'));
    await database.rows('delete from audit_log_entries');
  };
  const order = await Order.create({ status: 'x', tags: [{ name: 'q' }] }, { include: [{ model: Tag, as: 'tags' }] });
  await dump('nested');
  const [a, b] = await Tag.bulkCreate([{ name: 'a' }, { name: 'b' }]);
  await dump('tags');
  await order.setTags([a, b]);
  await dump('set');
  await order.removeTag(a);
  await b.setOrders([]);
  await dump('remove + other side');
  await order.addTags([a, b]);
  await dump('add');
  await a.destroy();
  await dump('cascade of target');
  await order.destroy();
  await dump('cascade of owner');
});
