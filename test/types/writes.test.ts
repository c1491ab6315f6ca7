// Functions given to expectTypeOf are checked by the compiler and never run.
import { expectTypeOf } from 'expect-type';
import {
  Model,
  Sequelize,
  type InferAttributes,
  type InferCreationAttributes,
  type Transactionable,
} from 'sequelize';
import {
  withAuditContext,
  withoutAudit,
  currentAuditContext,
  type AuditCallOption,
  type AuditContextSnapshot,
} from 'sequelize-auditlog';

class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: number;
  declare status: string;
}

const sequelize = new Sequelize('postgres://nobody@localhost/nowhere');

const audit: AuditCallOption = { reason: 'ticket 9', actor: 7, additionalData: { n: 1 } };
const where = { id: 1 };
const row = { id: 1, status: 'x' };

test('the option audit is typed on every write call', () => {
  expectTypeOf<Transactionable['audit']>().toEqualTypeOf<AuditCallOption | undefined>();
  expectTypeOf(async () => {
    const order = await Order.create(row, { audit });
    await order.save({ audit });
    await order.update({ status: 'x' }, { audit });
    await order.destroy({ audit: false });
    await order.restore({ audit });
    await order.increment('id', { audit });
    await order.decrement('id', { audit });
    await Order.bulkCreate([row], { audit });
    await Order.upsert(row, { audit });
    await Order.findOrCreate({ where, defaults: row, audit });
    await Order.update({ status: 'x' }, { where, audit });
    await Order.destroy({ where, audit });
    await Order.restore({ where, audit });
    await Order.increment('id', { where, audit });
    await Order.truncate({ audit });
    await sequelize.query('delete from orders', { audit });
    await sequelize.getQueryInterface().bulkDelete('orders', {}, { audit });
  }).toBeFunction();
});

test('and checked', () => {
  expectTypeOf(async () => {
    // @ts-expect-error true says nothing
    await Order.create(row, { audit: true });
    // @ts-expect-error a misspelt key
    await Order.create(row, { audit: { raeson: 'x' } });
    // @ts-expect-error a reason is a text
    await Order.update({ status: 'x' }, { where, audit: { reason: 7 } });
  }).toBeFunction();
});

test('an actor may be an id, an object with an id, an instance, or nobody', () => {
  expectTypeOf(() => {
    for (const actor of [
      null,
      undefined,
      'ann',
      7,
      7n,
      { id: 7, label: 'ann', type: 'User' },
      Order.build(),
    ]) {
      withAuditContext({ actor }, () => undefined);
    }
    // @ts-expect-error a boolean is nobody
    withAuditContext({ actor: true }, () => undefined);
    // @ts-expect-error a misspelt key
    withAuditContext({ acter: 7 }, () => undefined);
  }).toBeFunction();
});

test('contexts return what their function returns', () => {
  expectTypeOf(withAuditContext({}, () => 7)).toEqualTypeOf<number>();
  expectTypeOf(withoutAudit(async () => 'x')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(currentAuditContext()).toEqualTypeOf<AuditContextSnapshot | null>();
  expectTypeOf(() => withAuditContext(currentAuditContext(), () => undefined)).toBeFunction();
  expectTypeOf(() =>
    withAuditContext(JSON.parse('{}') as AuditContextSnapshot, () => undefined),
  ).toBeFunction();
});
