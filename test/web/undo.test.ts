import request, { type Response } from 'supertest';
import type { Request } from 'express';
import type { Model } from 'sequelize';
import { withAuditContext } from 'sequelize-auditlog';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';
import { testDatabase } from '../support/database';
import { entriesOf, rowOf } from '../support/audited';
import { pageOf, type Page } from '../support/page-text';
import { webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Customer, Tag, auditLog } = world;

type Options = AuditRouterOptions<Request>;

const get = async (path: string, options: Options = {}): Promise<Page> =>
  pageOf(await request(world.app(options)).get(`/audit/${path}`));

function post(path: string, form: Record<string, string>, options: Options = {}): Promise<Response> {
  const sent = request(world.app(options))
    .post(`/audit/${path}`)
    .type('form')
    .set('sec-fetch-site', 'same-origin');
  return Promise.resolve(sent.send(form));
}

const REASON = { reason: 'wrong file' };
let number = 0;

/** What `work` writes, as one request; the path of its page. */
async function requested(work: () => Promise<unknown>): Promise<string> {
  const correlationId = `undo-${(number += 1)}`;
  await withAuditContext({ actor: { id: 'alice', label: 'Alice' }, correlationId }, work);
  return `r/${correlationId}`;
}

const statusOf = async (order: Model): Promise<unknown> => (await rowOf(Order, order.get('id')))?.['status'];

const idOf = (object: Model): string => String(object.get('id'));

beforeAll(() => world.open());
afterAll(() => database.close());

describe('an undo is offered', () => {
  let path = '';
  beforeAll(async () => {
    path = await requested(async () => {
      await Order.create({ status: 'a' });
      await Tag.create({ name: 'red' });
    });
  });

  test('to those who may revert each of its models, with a reason to give', async () => {
    const page = await get(path);
    expect(page.text).toContain('Undo Gives every object back what it had before.');
    expect(page.html).toContain(`<form method="post" action="../${path}" class="undo">`);
    expect(page.html).toMatch(/<input id="undo-reason" name="reason" required/);
  });

  test('H367: to nobody else', async () => {
    const options: Options[] = [
      { revert: false },
      { authorize: (_, { action, model }) => action === 'view' || model === 'Order' },
      { authorize: (_, { action, model }) => action === 'revert' || model === 'Order' },
      { authorize: () => true, scope: () => ({ model: 'Order' }) },
    ];
    for (const each of options) {
      const page = await get(path, each);
      expect([page.status, page.html.includes('<form')]).toEqual([200, false]);
    }
  });

  test('not where nothing was written', async () => {
    const order = await Order.create({ status: 'a' });
    const viewed = await requested(() => auditLog.logAccess(order));
    expect((await get(viewed)).html).not.toContain('<form');
  });
});

describe('the preview', () => {
  test('shows what the undo would do, and does nothing', async () => {
    const order = (await Order.create({ status: 'pending', total: '10.00' })) as Model &
      Record<'addTag', (tag: Model) => Promise<void>>;
    const tag = await Tag.create({ name: 'red' });
    const path = await requested(async () => {
      await order.update({ status: 'paid' });
      await order.addTag(tag);
      await Customer.create({ name: 'Ada' });
    });
    let answer: Response | null = null;
    const entries = await entriesOf(auditLog, async () => {
      answer = await post(path, { ...REASON, preview: '1' });
    });
    const page = pageOf(answer!);
    expect([page.status, entries]).toEqual([200, []]);
    expect(page.text).toMatch(
      /Order \d+ \(paid\) is changed Changed values# Field From To 1 Status paid pending/,
    );
    expect(page.text).toMatch(/Ada is deleted/);
    expect(page.text).toMatch(/# Relationship Action Objects 1 Tags removed red/);
    expect(page.html).toContain('value="wrong file"');
    expect(await statusOf(order)).toBe('paid');
  });

  test('shows no value that its reader may not see', async () => {
    const order = await Order.create({ status: 'hidden-before' });
    const path = await requested(() => order.update({ status: 'hidden-after', total: '5.00' }));
    const canSee = (_: Request, __: string, attribute: string): boolean => attribute !== 'status';
    const { text } = await post(path, { ...REASON, preview: '1' }, { authorize: () => true, canSee });
    expect(text).not.toContain('hidden-');
    expect(pageOf({ status: 200, text }).text).toContain('1 change you may not see');
  });

  test('names what stands against it and offers no more', async () => {
    const order = await Order.create({ status: 'a' });
    const path = await requested(() => order.update({ status: 'b' }));
    await order.update({ status: 'c' });
    const page = pageOf(await post(path, { ...REASON, preview: '1' }));
    expect(page.text).toContain(`Order ${idOf(order)} (b): "status" was changed later`);
    expect(page.html).not.toContain('<form');
  });
});

describe('the undo', () => {
  test('gives everything back, with who and why, and can be undone itself', async () => {
    const order = await Order.create({ status: 'pending' });
    const path = await requested(() => order.update({ status: 'paid' }));
    let answer: Response | null = null;
    const [entry] = await entriesOf(auditLog, async () => {
      answer = await post(path, REASON);
    });
    expect(await statusOf(order)).toBe('pending');
    expect(entry).toMatchObject({ action: 'update', reason: 'wrong file', request: `POST /audit/${path}` });
    expect(answer!.status).toBe(303);
    expect(answer!.headers['location']).toBe(`../${path}?undone=${entry!.transactionId}`);
    const told = await get(`${path}?undone=${entry!.transactionId}`);
    expect(told.text).toMatch(/^Undone\./);
    const again = await post(`t/${entry!.transactionId}`, REASON);
    expect(again.status).toBe(303);
    expect(await statusOf(order)).toBe('paid');
  });

  test('needs a reason', async () => {
    const order = await Order.create({ status: 'a' });
    const path = await requested(() => order.update({ status: 'b' }));
    for (const form of [{}, { reason: '  ' }, { preview: '1' }] satisfies Record<string, string>[]) {
      const answer = await post(path, form);
      expect([answer.status, pageOf(answer).text.includes('an undo needs a reason')]).toEqual([400, true]);
    }
    expect(await statusOf(order)).toBe('b');
  });

  test('that would lose a later change is refused with the objects’ names', async () => {
    const order = await Order.create({ status: 'a' });
    const path = await requested(() => order.update({ status: 'b' }));
    await order.update({ status: 'c' });
    const page = pageOf(await post(path, REASON));
    expect(page.status).toBe(409);
    expect(page.text).toContain(`Order ${idOf(order)} (b): "status" was changed later`);
    expect(await statusOf(order)).toBe('c');
  });
});

describe('fault 77: without permission for all of it, nothing is undone', () => {
  let path = '';
  let order: Model;
  let other: Model;

  beforeAll(async () => {
    [order, other] = [await Order.create({ status: 'a' }), await Order.create({ status: 'a' })];
    path = await requested(async () => {
      await order.update({ status: 'b' });
      await other.update({ status: 'b' });
    });
  });

  test.each<[string, (id: string, otherId: string) => Options, number]>([
    ['no revert at all', () => ({ authorize: () => true, revert: false }), 403],
    ['not of the model', () => ({ authorize: (_, { action }) => action === 'view' }), 403],
    [
      'not of one of the objects',
      (_, otherId) => ({ authorize: (__, { action, pk }) => action === 'view' || pk !== otherId }),
      403,
    ],
    [
      'one of the objects may not be seen',
      (_, otherId) => ({ authorize: (__, { action, pk }) => action === 'revert' || pk !== otherId }),
      403,
    ],
    [
      'a part of it belongs to another tenant',
      (id) => ({ authorize: () => true, scope: () => ({ objectPk: id }) }),
      403,
    ],
    [
      'all of it belongs to another tenant',
      () => ({ authorize: () => true, scope: () => ({ actorId: 'nobody' }) }),
      404,
    ],
  ])('%s', async (_, optionsOf, status) => {
    const options = optionsOf(idOf(order), idOf(other));
    for (const form of [REASON, { ...REASON, preview: '1' }]) {
      const entries = await entriesOf(auditLog, async () => {
        expect((await post(path, form, options)).status).toBe(status);
      });
      expect(entries).toEqual([]);
    }
    expect([await statusOf(order), await statusOf(other)]).toEqual(['b', 'b']);
  });

  test('nobody asked for it from a page of this site', async () => {
    const answer = await request(world.app()).post(`/audit/${path}`).type('form').send(REASON);
    expect(answer.status).toBe(403);
    expect(await statusOf(order)).toBe('b');
  });
  test('there is nothing of that name', async () => {
    for (const missing of ['r/none', 't/1', 't/x', 'r/a%00b'])
      expect([missing, (await post(missing, REASON)).status]).toEqual([missing, 404]);
  });
});

test('fault 77: what is written under the same id while it is asked is not undone along', async () => {
  const [order, other] = [await Order.create({ status: 'a' }), await Order.create({ status: 'a' })];
  const path = await requested(() => order.update({ status: 'b' }));
  const correlationId = path.slice(2);
  const authorize: Options['authorize'] = async (_, { action, pk }) => {
    if (action === 'revert' && pk !== undefined)
      await withAuditContext({ correlationId }, () => other.update({ status: 'b' }));
    return pk !== idOf(other);
  };
  expect((await post(path, REASON, { authorize })).status).toBe(403);
  expect([await statusOf(order), await statusOf(other)]).toEqual(['b', 'b']);
});

test('an undo that would change other objects along is refused with the reason', async () => {
  let customer: Model | null = null;
  const path = await requested(async () => {
    customer = await Customer.create({ name: 'Ada' });
  });
  const order = await Order.create({ status: 'a', customerId: customer!.get('id') });
  const page = pageOf(await post(path, REASON));
  expect([page.status, page.text.includes('violates foreign key constraint')]).toEqual([409, true]);
  expect((await rowOf(Order, order.get('id')))?.['customerId']).toBe(customer!.get('id'));
});
