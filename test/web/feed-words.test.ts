import request from 'supertest';
import { withAuditContext } from 'sequelize-auditlog';
import type { Model } from 'sequelize';
import { capitalised, fieldLabel, fieldWords } from '../../lib/web/field-label';
import { shortText, shortTexts } from '../../lib/web/short-values';
import { testDatabase } from '../support/database';
import { pageOf } from '../support/page-text';
import { asActor, webWorld } from '../support/web';
import type { AuditRouterOptions } from 'sequelize-auditlog/web';

const database = testDatabase();
const world = webWorld(database);
const { Order, Tag, Customer, Item, auditLog } = world;

const idOf = (object: Model): string => String(object.get('id'));

beforeAll(() => world.open());
beforeEach(() => database.rows('truncate audit_log_entries'));
afterAll(() => database.close());

/** What the newest entry says. */
async function sentence(options: AuditRouterOptions<never> = {}): Promise<string> {
  const { sentences } = pageOf(await request(world.app(options as never)).get('/audit/'));
  return sentences[0] ?? '';
}

const bySystem = <T>(work: () => Promise<T>): Promise<T> => withAuditContext({ actor: null }, work);
type Tagged = Model & Record<'addTags' | 'setTags' | 'removeTags', (tags: Model[]) => Promise<void>>;

describe('the sentence of an entry', () => {
  test('says who created, changed and deleted what', async () => {
    const order = await asActor('alice', null, () => Order.create({ status: 'pending', total: '10.00' }));
    const name = `Order ${idOf(order)}`;
    expect(await sentence()).toBe(`alice created ${name} (pending)`);
    await asActor('alice', null, () => order.update({ status: 'paid' }));
    expect(await sentence()).toBe(`alice changed status pending → paid on ${name} (paid)`);
    await asActor('bob', null, () =>
      order.update({ status: 'sent', total: '11.00', description: 'with care' }),
    );
    expect(await sentence()).toBe(
      `bob changed description ∅ null → with care, status paid → sent, total 10.00 → 11.00 on ${name} (sent)`,
    );
    const item = await bySystem(() => Item.create({ orderId: 'a/b', sku: '2', quantity: 1 }));
    await bySystem(() => item.destroy());
    expect(await sentence()).toBe('system deleted Item ["a/b","2"]');
  });

  test('O8, O9: says only how many fields changed from four on', async () => {
    const order = await Order.create({ status: 'a' });
    const four = { status: 'b', total: '1.00', description: 'x', shipping: { city: 'Bern' } };
    await asActor('alice', null, () => order.update(four));
    expect(await sentence()).toBe(`alice changed 4 fields on Order ${idOf(order)} (b)`);
  });

  test('O11: says what was deleted, and what came back', async () => {
    const order = await Order.create({ status: 'a' });
    await asActor('alice', null, () => order.destroy());
    const name = `Order ${idOf(order)} (a)`;
    expect(await sentence()).toBe(`alice deleted ${name}`);
    await asActor('alice', null, () => order.restore());
    expect(await sentence()).toBe(`alice restored ${name}`);
  });

  test('P4: tells of links by their names', async () => {
    const order = (await Order.create({ status: 'a' })) as Tagged;
    const tags = await Tag.bulkCreate(['red', 'green', 'blue', 'grey', 'pink'].map((name) => ({ name })));
    const name = `Order ${idOf(order)} (a)`;
    await asActor('alice', null, () => order.addTags(tags.slice(0, 2)));
    expect(await sentence()).toBe(`alice added red, green to tags of ${name}`);
    await asActor('alice', null, () => order.removeTags(tags.slice(0, 1)));
    expect(await sentence()).toBe(`alice removed red from tags of ${name}`);
    await asActor('alice', null, () => order.addTags(tags));
    expect(await sentence()).toBe(`alice added red, blue, grey, 1 more to tags of ${name}`);
  });

  test('V2, O12: tells of views and of the application’s own words, with labels of known fields', async () => {
    const order = await Order.create({ status: 'a' });
    const name = `Order ${idOf(order)} (a)`;
    await asActor('alice', null, () => auditLog.logAccess(order));
    expect(await sentence()).toBe(`alice viewed ${name}`);
    const changes = { customerId: [1, 2], nextStep: [null, 'call'] } as const;
    await asActor('alice', null, () => auditLog.log(order, { action: 'approve', changes }));
    expect(await sentence()).toBe(`alice logged approve on ${name}: customer 1 → 2, next step ∅ null → call`);
    await asActor('alice', null, () => auditLog.log(order, { action: 'reject' }));
    expect(await sentence()).toBe(`alice logged reject on ${name}`);
  });

  test('counts what its reader may not see, and names none of it', async () => {
    const order = await Order.create({ status: 'a', total: '1.00' });
    await asActor('alice', null, () => order.update({ status: 'secret', total: '2.00' }));
    const canSee = (_: unknown, __: string, attribute: string): boolean => attribute !== 'status';
    expect(await sentence({ canSee })).toBe(
      `alice changed total 1.00 → 2.00 on Order ${idOf(order)} (1 change you may not see)`,
    );
    const none = await sentence({ canSee: () => false });
    expect(none).toBe(`alice changed Order ${idOf(order)} (2 changes you may not see)`);
  });

  test('H345: needs no actor model; an id without label stands for itself', async () => {
    await withAuditContext({ actor: 17 }, () => Customer.create({ name: 'Carol' }));
    expect(await sentence()).toBe('17 created Carol');
  });

  test('M: a masked value is marked as one, and a text that looks like one is not', async () => {
    const order = await Order.create({ cardNumber: '4000123412341234', description: '********' });
    await order.update({ cardNumber: '4000123412349999' });
    const { html } = pageOf(await request(world.app()).get('/audit/'));
    expect(html.match(/<span class="value masked" title="masked">\*{8}\d{4}<\/span>/g)).toHaveLength(2);
    await order.update({ description: '********1234' });
    const { html: newest } = pageOf(await request(world.app()).get('/audit/'));
    expect(newest).toContain('<span class="value">********1234</span>');
  });

  test('P8: null, the empty text and the text "null" can be told apart', async () => {
    const customer = await Customer.create({ name: 'Carol' });
    await asActor('alice', null, () => customer.update({ about: 'null' }));
    expect(await sentence()).toBe('alice changed about ∅ null → null on Carol');
    await asActor('alice', null, () => customer.update({ about: '' }));
    expect(await sentence()).toBe('alice changed about null → empty text on Carol');
  });

  test('can be said in other words', async () => {
    const order = await Order.create({ status: 'a' });
    await asActor('alice', null, () => order.update({ status: 'b' }));
    const messages = {
      'sentence.update': 'Auf {object} hat {actor} {changes} geändert',
      'sentence.value': '{field} von {old} auf {new}',
    };
    const german = await sentence({ locale: 'de-CH', messages });
    expect(german).toBe(`Auf Order ${idOf(order)} (b) hat alice status von a auf b geändert`);
  });
});

describe('words', () => {
  test('P7: names are humanised', () => {
    const labels = (name: string): string[] => [fieldLabel(null, name), fieldWords(null, name)];
    expect(labels('text')).toEqual(['Text', 'text']);
    expect(labels('field one')).toEqual(['Field one', 'field one']);
    expect(labels('customerName')).toEqual(['Customer name', 'customer name']);
    expect(labels('customer_id')).toEqual(['Customer id', 'customer id']);
    expect(labels('vatNumberEU')).toEqual(['Vat number EU', 'vat number EU']);
    expect(labels('HTMLBody2Text')).toEqual(['HTML body2 text', 'HTML body2 text']);
    expect(labels('straßeÜber')).toEqual(['Straße über', 'straße über']);
    expect(labels('__')).toEqual(['__', '__']);
    // A label of the registration begins its row like the names beside it.
    const heads = ['e-mail', 'SKU', 'iPhone model', 'übergabe', ''].map(capitalised);
    expect(heads).toEqual(['E-mail', 'SKU', 'iPhone model', 'Übergabe', '']);
  });

  test('N: values of up to 40 characters are whole, longer ones are cut at 40', () => {
    expect(shortText('x'.repeat(40))).toBe('x'.repeat(40));
    expect(shortText('x'.repeat(41))).toBe(`${'x'.repeat(39)}…`);
    expect(shortText('😀'.repeat(30))).toBe(`${'😀'.repeat(19)}…`);
    expect(shortText({ a: [1, null] })).toBe('{"a":[1,null]}');
  });

  test('N: two long values begin just before their first difference', () => {
    const same = 'a'.repeat(100);
    expect(shortTexts(`${same}old`, `${same}new`)).toEqual([
      `…${'a'.repeat(10)}old`,
      `…${'a'.repeat(10)}new`,
    ]);
    expect(shortTexts(`old${same}`, `new${same}`)).toEqual([
      `old${'a'.repeat(36)}…`,
      `new${'a'.repeat(36)}…`,
    ]);
    expect(shortTexts(null, same)).toEqual(['null', `${'a'.repeat(39)}…`]);
    for (const text of shortTexts(`${same}${'b'.repeat(99)}`, `${same}${'c'.repeat(99)}`))
      expect(text).toHaveLength(40);
  });
});
