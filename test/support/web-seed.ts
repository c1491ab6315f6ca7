import type { Model } from 'sequelize';
import { withAuditContext, type AuditContextValues } from 'sequelize-auditlog';
import type { WebWorld } from './web';

/** Keys, names and ids that paths, queries and markup are easily broken with. */
export const AWKWARD = [
  '.',
  '..',
  '-',
  '',
  'a/b',
  'a%2Fb',
  '?x=1',
  '#top',
  'ü 😀',
  '"><i>',
  'api',
  '["x","y"]',
];

const by = <T>(actor: string, values: AuditContextValues, work: () => Promise<T>): Promise<T> =>
  withAuditContext({ actor: { id: actor, label: actor.toUpperCase() }, ...values }, work);

/** One order's whole life: created, changed by two people, tagged, deleted and left so; and one that goes on living. */
export async function seedLives({ Customer, Order, Tag }: WebWorld): Promise<{ alive: Model; gone: Model }> {
  const customer = await by('ada', { correlationId: 'req-1', request: 'POST /orders' }, async () => {
    const made = await Customer.create({ name: 'Bea Example', about: 'likes tea\nand long walks' });
    await Order.create({ status: 'pending', total: '10.00', customerId: made.get('id') });
    return made;
  });
  const alive = await Order.findOne({ where: { customerId: customer.get('id') as number } });
  if (!alive) throw new Error('the order was not stored');
  await by('sam', { correlationId: 'req-2', reason: 'ticket 7', remoteAddr: '10.0.0.7' }, async () => {
    await alive.update({
      status: 'paid',
      shipping: { city: 'Bern', lines: ['a', 'b'] },
      cardNumber: '4000123412341234',
    });
    const tag = await Tag.create({ name: 'urgent' });
    await (alive as Model & { addTag(tag: Model): Promise<void> }).addTag(tag);
  });
  await by('ada', {}, () =>
    alive.update({ status: 'shipped', description: 'Handle with care.', shipping: null }),
  );
  const gone = await by('sam', {}, () => Order.create({ status: 'mistake', total: '0.00' }));
  await by('ada', { reason: 'doubled' }, () => gone.destroy());
  return { alive, gone };
}

/** Objects, actors and requests whose names need care in addresses. */
export async function seedAwkward({ Item }: WebWorld): Promise<void> {
  for (const [index, text] of AWKWARD.entries()) {
    const correlationId = [`id/${index}`, '..', '.', '-', 'a:b+c=d'][index % 5] ?? null;
    await by(text === '' ? 'nobody' : text, { correlationId, reason: text || null }, async () => {
      const item = await Item.create({ orderId: text, sku: `sku ${text}`, quantity: index });
      await item.update({ quantity: index + 1 });
    });
  }
}
