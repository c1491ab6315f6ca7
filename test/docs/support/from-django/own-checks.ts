import type { Model, ModelStatic } from 'sequelize';
import request from 'supertest';
import { actionsOf } from '../../../support/audited';
import { database } from './database';
import {
  type Exports,
  LogEntry,
  app,
  auditLog,
  entries,
  entry,
  load,
  newOrder,
  orders,
  typesOf,
  type Check,
} from './world';

async function manyToMany(given: Exports): Promise<void> {
  given['trackTags']();
  const order = await newOrder();
  const tag = await (given['Tag'] as ModelStatic<Model>).create({ name: 'urgent' });
  await given['addTag'](order, tag);
  const [left] = await LogEntry.forObject(order);
  expect(left!.changes).toEqual({
    tags: {
      type: 'm2m',
      added: [{ pk: String(tag.get('id')), repr: `Tag ${String(tag.get('id'))}` }],
      removed: [],
    },
  });
  expect(typesOf(await orders.versions(order))).toBe('+');
}

async function jobs(given: Exports): Promise<void> {
  await newOrder({ status: 'invoiced' });
  expect(await entry(() => given['nightlyImport']())).toMatchObject({
    actorId: 'nightly-import',
    actorType: 'Job',
    reason: 'late payments',
    additionalData: { file: 'payments.csv' },
    changes: { status: ['invoiced', 'paid'] },
  });
  expect(await entries(() => given['warmUpCaches']())).toEqual([]);
}

async function masksAndOwnEntries(given: Exports): Promise<void> {
  given['maskNotes']();
  const order = await newOrder({ customerNotes: 'call 555 0199' });
  const [created] = await LogEntry.forObject(order);
  expect(created!.changes).toMatchObject({ customerNotes: [null, '********0199'] });
  const left = await entries(async () => {
    await given['approve'](order);
    await given['looked'](order);
    await request(app).get(`/orders/${order.id}/notes`).expect(200, '"call 555 0199"');
  });
  expect(actionsOf(left)).toEqual(['approve Order', 'access Order', 'access Order']);
}

async function joins(given: Exports): Promise<void> {
  given['keepItemVersions']();
  await auditLog.sync();
  const { OrderItem } = load('order-item.ts') as { OrderItem: ModelStatic<Model> };
  const order = await newOrder();
  const item = await OrderItem.create({ quantity: 2, OrderId: order.id });
  const [{ t }] = (await database.rows<{ t: string }>(`select to_json(clock_timestamp())#>>'{}' as t`)) as [
    { t: string },
  ];
  await item.update({ quantity: 3 });
  const then = await given['orderWithItems'](order.id, t);
  expect(then.OrderItems.map((each: Model) => each.get('quantity'))).toEqual([2]);
}

/** For what the page adds to the guide. */
export const OWN_CHECKS: Readonly<Record<string, Check>> = {
  A: manyToMany,
  B: jobs,
  C: masksAndOwnEntries,
  D: joins,
};
