import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import {
  createAuditLog,
  withAuditContext,
  withoutAudit,
  type LogEntry,
  type ModelAuditedEvent,
  type PruneOptions,
} from 'sequelize-auditlog';
import { openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';
import { storyOf } from '../support/versions';
import { until } from '../support/until';

type Any = ModelStatic<Model>;

const database = testDatabase();
const { sequelize } = database;
const { TEXT, INTEGER } = DataTypes;
const Order: Any = sequelize.define('Order', { status: TEXT, total: INTEGER, note: TEXT, secret: TEXT });
const Tag: Any = sequelize.define('Tag', { name: TEXT });
const Invoice: Any = sequelize.define('Invoice', { status: TEXT, total: INTEGER });
const Page: Any = sequelize.define('Page', { title: TEXT }, { paranoid: true });
const Seat: Any = sequelize.define('Seat', {
  row: { type: TEXT, primaryKey: true },
  no: { type: INTEGER, primaryKey: true },
  guest: TEXT,
});
const Fee: Any = sequelize.define('Fee', { worth: INTEGER });
const Late: Any = sequelize.define('Late', { title: TEXT });
Order.belongsToMany(Tag, { as: 'tags', through: 'OrderTag' });
const auditLog = createAuditLog(sequelize);
const { LogEntry } = auditLog;
const orders = auditLog.registerAudited(Order, { associations: ['tags'] });
const invoices = auditLog.registerAudited(Invoice, { snapshots: true });
const pages = auditLog.registerAudited(Page, { snapshots: true });
const seats = auditLog.registerAudited(Seat, { snapshots: true });
auditLog.registerAudited(Fee, { modelName: 'Charge' });
auditLog.registerAudited(Late);

/** The statements that empty every table and begin every sequence anew; a TRUNCATE of so many takes its time. */
const EMPTYING = `select string_agg("sql", ';' order by "rank", "sql") as "emptying" from (
  select 1 as "rank", format('delete from %I', tablename) as "sql" from pg_tables where schemaname = current_schema() and tablename <> 'OrderTag'
  union all select 0, 'delete from "OrderTag"'
  union all select 2, format('select setval(%L, 1, false)', quote_ident(sequencename)) from pg_sequences where schemaname = current_schema()
) "s"`;

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());
beforeEach(async () => {
  const [found] = await database.rows<{ emptying: string }>(EMPTYING);
  await database.rows(found!.emptying);
});

/** The database's clock, with microseconds: what is written before is strictly older. */
async function now(): Promise<string> {
  const [row] = await database.rows<{ at: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return row!.at;
}

async function prune(
  options: Omit<PruneOptions, 'olderThan'> & { olderThan?: PruneOptions['olderThan'] } = {},
) {
  return auditLog.prune({ olderThan: await now(), ...options });
}

/** Entries that are no mark, as `update status`. */
async function left(model?: string): Promise<string[]> {
  const entries = await LogEntry.findAll({
    order: [['id', 'ASC']],
    where: model === undefined ? {} : { model },
  });
  return entries
    .filter(({ action }) => action !== 'prune')
    .map(({ action, changedAttributes }) => [action, ...changedAttributes].join(' '));
}

async function marks(): Promise<LogEntry[]> {
  return LogEntry.findAll({ where: { action: 'prune' }, order: [['id', 'ASC']] });
}

describe('what is asked for', () => {
  const olderThan = '1d';
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['no age (H331, H333, Z1)', {}, /"olderThan" is missing.*365d/],
    ['a bare number of days', { olderThan: '365' }, /"365d"/],
    ['minutes that may be months', { olderThan: '6m' }, /olderThan/],
    ['an age below nothing', { olderThan: '-1d' }, /olderThan/],
    ['what is no time', { olderThan: new Date('no') }, /olderThan/],
    ['a time to come', { olderThan: new Date(Date.now() + 60_000) }, /a time that has passed/],
    ['an unknown option', { olderThan, model: 'Order' }, /Did you mean "models"/],
    ['no models', { olderThan, models: [] }, /at least one/],
    ['an unknown model (H331)', { olderThan, models: [Order, 'Invoce'] }, /Invoce.*Did you mean "Invoice"/],
    ['half an entry', { olderThan, keepLast: 0.5 }, /keepLast/],
    ['no batch', { olderThan, batchSize: 0 }, /batchSize/],
    ['no folder', { olderThan, archiveTo: '' }, /archiveTo/],
    ['a dry run in words', { olderThan, dryRun: 'yes' }, /dryRun/],
    ['progress to nobody', { olderThan, onProgress: 'x' }, /onProgress/],
  ];
  test.each(wrong)('%s is refused, and nothing is done', async (_name, options, message) => {
    await Order.create({});
    const error = await refusalOf(() => auditLog.prune(options as PruneOptions));
    expect(error).toMatchObject({
      code: 'ERR_AUDIT_INVALID_OPTION',
      message: expect.stringMatching(message),
    });
    expect(await LogEntry.count()).toBe(1);
  });

  test('ages are times before now on the database’s clock', async () => {
    await Order.create({});
    await database.rows(`update audit_log_entries set "timestamp" = now() - interval '8 days'`);
    for (const age of ['9d', '2 weeks', '1y', '193 hours'])
      expect((await auditLog.prune({ olderThan: age, models: [Order], dryRun: true }))['Order']).toEqual({
        entries: 0,
        versions: 0,
      });
    const order = await Order.findOne();
    await order!.destroy();
    await database.rows(`update audit_log_entries set "timestamp" = now() - interval '8 days'`);
    for (const age of ['7d', '1 week', '191h', '0d', '10min'])
      expect((await auditLog.prune({ olderThan: age, models: [Order], dryRun: true }))['Order']).toEqual({
        entries: 2,
        versions: 0,
      });
  });

  test('H331: without a registered model and without an entry it says so', async () => {
    const empty = createAuditLog(database.createSequelize());
    expect(await refusalOf(() => empty.prune({ olderThan }))).toMatchObject({
      code: 'ERR_AUDIT_NOT_REGISTERED',
      message: expect.stringContaining('no model is registered'),
    });
  });

  test('without a log it names the missing table', async () => {
    const other = createAuditLog(database.createSequelize(), { tableName: 'nowhere' });
    expect(await refusalOf(() => other.prune({ olderThan }))).toMatchObject({
      code: 'ERR_AUDIT_MISSING_TABLE',
    });
  });
});

describe('what goes and what stays', () => {
  test('Z5, H335: only what is strictly older goes, counted for every model that was looked at', async () => {
    const order = await Order.create({ status: 'a' });
    await order.update({ status: 'b' });
    await Tag.create({ name: 'not registered' });
    const [, second] = await LogEntry.findAll({ order: [['id', 'ASC']] });
    await order.update({ status: 'c' });
    const nothing = { entries: 0, versions: 0 };
    const others = { Invoice: nothing, Page: nothing, Seat: nothing, Charge: nothing, Late: nothing };
    const exact = second!.toJSON().timestamp;
    expect(await prune({ olderThan: exact })).toEqual({ Order: nothing, ...others });
    expect(await prune()).toEqual({ Order: { entries: 1, versions: 0 }, ...others });
    expect(await left()).toEqual(['create id status', 'update status']);
  });

  test('without versions the newest entry of every attribute stays', async () => {
    const order = await Order.create({ status: 'new', total: 1 });
    for (const [status, total] of [
      ['paid', 1],
      ['paid', 2],
      ['sent', 2],
      ['sent', 3],
    ] as const)
      await order.update({ status, total });
    await order.update({ note: 'n' });
    expect(await prune()).toMatchObject({ Order: { entries: 2 } });
    expect(await left()).toEqual(['create id status total', 'update status', 'update total', 'update note']);
    const past = await orders.asOf(await now()).findByPk(1);
    expect(past!.get()).toMatchObject({ status: 'sent', total: 3, note: 'n' });
  });

  test('the newest entry stays whatever it names, so that the object is known to be there', async () => {
    const order = await Order.create({});
    const tag = await Tag.create({ name: 't' });
    await (order as never as { addTag(tag: Model): Promise<void> }).addTag(tag);
    await (order as never as { removeTag(tag: Model): Promise<void> }).removeTag(tag);
    expect(await prune()).toMatchObject({ Order: { entries: 1 } });
    expect(await left()).toEqual(['create id', 'update tags']);
  });

  test('masked and excluded attributes, and those that the model has no more, are as any other', async () => {
    const order = await Order.create({ status: 'a', secret: 's' });
    await database.rows(`update audit_log_entries set changes = changes || '{"gone": [null, 1]}'`);
    await order.update({ secret: 't', status: 'b' });
    await order.update({ status: 'c' });
    await order.update({ status: 'd' });
    await prune();
    expect(await left()).toEqual(['create gone id secret status', 'update secret status', 'update status']);
  });

  test('E52: with versions the newest one stays, and its entries go', async () => {
    const invoice = await Invoice.create({ status: 'a' });
    await invoice.update({ status: 'b' });
    const between = await now();
    await invoice.update({ status: 'c' });
    await invoice.update({ status: 'd' });
    expect(await prune({ olderThan: between })).toMatchObject({ Invoice: { entries: 2, versions: 1 } });
    expect(await storyOf(invoices, 1, 'status')).toEqual([
      ['~', 'b'],
      ['~', 'c'],
      ['~', 'd'],
    ]);
    expect((await invoices.asOf(between).findByPk(1))!.get('status')).toBe('b');
  });

  test('objects that were hard-deleted go whole; E53: nothing of them is left anywhere', async () => {
    const order = await Order.create({});
    const invoice = await Invoice.create({ status: 'a' });
    await order.destroy();
    await invoice.destroy();
    const result = await prune();
    expect(result).toMatchObject({ Order: { entries: 2 }, Invoice: { entries: 2, versions: 2 } });
    expect(await left()).toEqual([]);
    expect(await invoices.versions(1)).toEqual([]);
    expect(await orders.asOf(await now()).findByPk(1)).toBeNull();
  });

  test('of a key that was used again only the last life counts', async () => {
    for (const handle of [Order, Invoice]) {
      const first = await handle.create({ id: 5, status: 'first', total: 1 });
      await first.destroy();
      await handle.create({ id: 5, status: 'second' });
    }
    expect(await prune()).toMatchObject({ Order: { entries: 2 }, Invoice: { entries: 3, versions: 2 } });
    expect(await left('Order')).toEqual(['create id status']);
    expect(await storyOf(invoices, 5, 'status')).toEqual([['+', 'second']]);
  });

  test('a soft-deleted object is there, and stays so until it is hard-deleted', async () => {
    const page = await Page.create({ title: 'a' });
    await page.update({ title: 'b' });
    await page.destroy();
    expect(await prune()).toMatchObject({ Page: { entries: 3, versions: 2 } });
    expect(await storyOf(pages, 1, 'title')).toEqual([['-', 'b']]);
    const then = await now();
    expect(await pages.asOf(then).findByPk(1)).toBeNull();
    expect((await pages.asOf(then).findByPk(1, { paranoid: false }))!.get('title')).toBe('b');
    await page.destroy({ force: true });
    // One row per transaction: the two that only together tell of the hard delete go together.
    const seen: number[] = [];
    const onProgress: PruneOptions['onProgress'] = ({ versions }) => void seen.push(versions);
    expect(await prune({ batchSize: 1, onProgress })).toMatchObject({ Page: { entries: 1, versions: 2 } });
    expect(seen).toEqual([0, 2]);
    expect(await pages.versions(1)).toEqual([]);
  });

  test('a soft-deleted object without versions keeps what it was', async () => {
    auditLog.registerAudited(Page);
    try {
      const page = await Page.create({ title: 'a' });
      await page.update({ title: 'b' });
      await page.update({ title: 'c' });
      await page.destroy();
      await prune();
      expect(await left()).toEqual(['create id title', 'update title', 'delete deletedAt']);
      await page.destroy({ force: true });
      await prune();
      expect(await left()).toEqual([]);
    } finally {
      auditLog.registerAudited(Page, { snapshots: true });
    }
  });

  test('keepLast keeps the newest of every object, and what tells a soft delete from a hard one', async () => {
    const invoice = await Invoice.create({ status: '0' });
    for (const status of '12345') await invoice.update({ status });
    await invoice.destroy();
    const page = await Page.create({ title: 'a' });
    await page.destroy();
    await page.destroy({ force: true });
    expect(await prune({ keepLast: 2, dryRun: true })).toMatchObject({
      Invoice: { entries: 5, versions: 5 },
    });
    expect(await prune({ keepLast: 1 })).toMatchObject({
      Invoice: { entries: 6, versions: 6 },
      Page: { entries: 2, versions: 1 },
    });
    expect(await left()).toEqual(['delete id status', 'delete deletedAt id title']);
    expect(await invoices.asOf(await now()).findByPk(1)).toBeNull();
    expect(await pages.asOf(await now()).findByPk(1, { paranoid: false })).toBeNull();
    expect((await marks())[0]!.additionalData).toMatchObject({ keepLast: 1 });
  });

  test('accesses and words of the application go, and entries about no object; marks never do', async () => {
    const order = await Order.create({});
    await auditLog.logAccess(order);
    await auditLog.log(order, { action: 'approve' });
    await auditLog.log(order, { action: 'prune' });
    await database.rows(
      `insert into audit_log_entries (action, model, object_repr) values ('access', 'Order', 'List')`,
    );
    expect(await prune()).toMatchObject({ Order: { entries: 4 } });
    expect(await prune()).toMatchObject({ Order: { entries: 0 } });
    expect(await left()).toEqual(['create id']);
    expect(await marks()).toHaveLength(1);
  });

  test('composite keys, odd ones too', async () => {
    for (const row of ['a"', '[1', 'é\\']) {
      const seat = await Seat.create({ row, no: 1, guest: 'x' });
      await seat.update({ guest: 'y' });
      if (row === '[1') await seat.destroy();
    }
    expect(await prune({ batchSize: 2 })).toMatchObject({ Seat: { entries: 7, versions: 5 } });
    expect(await storyOf(seats, { row: 'a"', no: 1 }, 'guest')).toEqual([['~', 'y']]);
    expect((await seats.asOf(await now()).findAll()).map((seat) => seat.get('row'))).toEqual(['a"', 'é\\']);
  });

  test('keys from before their column had another type are left to entries', async () => {
    await Invoice.create({ status: 'a' });
    await database.rows(
      `insert into audit_log_entries (action, model, object_pk, changes) select action, model, 'INV-1', changes from audit_log_entries`,
    );
    expect(await prune()).toMatchObject({ Invoice: { entries: 1 } });
    expect((await LogEntry.findAll({ where: { action: 'create' } })).map(({ objectPk }) => objectPk)).toEqual(
      ['INV-1'],
    );
  });

  test('objects from before snapshots were turned on keep what entries tell of them', async () => {
    const early = await Late.create({ title: 'a' });
    await early.update({ title: 'b' });
    await early.update({ title: 'c' });
    auditLog.registerAudited(Late, { snapshots: true });
    await auditLog.sync();
    await Late.create({ title: 'with a version' });
    expect(await prune()).toMatchObject({ Late: { entries: 2, versions: 0 } });
    expect(await left()).toEqual(['create id title', 'update title']);
  });

  test('entries of models that are registered no more go by what entries tell', async () => {
    const invoice = await Invoice.create({ status: 'a' });
    await invoice.update({ status: 'b' });
    await invoice.update({ status: 'c' });
    auditLog.unregister(Invoice);
    try {
      expect(await prune()).toMatchObject({ Invoice: { entries: 1, versions: 0 } });
      expect(await left()).toEqual(['create id status', 'update status']);
    } finally {
      auditLog.registerAudited(Invoice, { snapshots: true });
    }
  });

  test('models are chosen by class or by the name of their entries', async () => {
    for (const model of [Order, Invoice, Fee]) await (await model.create({})).destroy();
    expect(await prune({ models: [Fee] })).toEqual({ Charge: { entries: 2, versions: 0 } });
    expect(await prune({ models: ['Invoice', Invoice] })).toEqual({ Invoice: { entries: 2, versions: 2 } });
    expect(await left()).toEqual(['create id', 'delete id']);
  });
});

type Linking = Record<'addTags' | 'removeTags' | 'setTags', (ids: readonly number[]) => Promise<void>>;

describe('links', () => {
  const linking = (order: Model): Linking => order as never;
  const links = async (): Promise<unknown> =>
    (await LogEntry.findAll({ order: [['id', 'ASC']] }))
      .flatMap(({ changes }) => Object.values(changes ?? {}))
      .filter((change) => !Array.isArray(change))
      .map((change) => {
        const { added, removed } = change as { added: { pk: string }[]; removed: { pk: string }[] };
        return [...added.map(({ pk }) => `+${pk}`), ...removed.map(({ pk }) => `-${pk}`)].join(' ');
      });

  beforeEach(async () => {
    await Tag.bulkCreate(['1', '2', '3', '4'].map((name) => ({ name })));
  });

  test('the newest entry that added each link which is there stays', async () => {
    const order = await Order.create({});
    await linking(order).addTags([1]);
    await linking(order).addTags([2]);
    await linking(order).removeTags([2]);
    await linking(order).addTags([3]);
    await linking(order).removeTags([1]);
    await linking(order).addTags([1]);
    await order.update({ status: 'last' });
    await prune();
    expect(await links()).toEqual(['+3', '+1']);
  });

  test('an entry that stays for one link is not left alone with another that went later', async () => {
    const order = await Order.create({});
    await linking(order).addTags([1, 2]);
    await linking(order).removeTags([2]);
    await linking(order).addTags([2]);
    await linking(order).removeTags([2]);
    await order.update({ status: 'last' });
    const before = await now();
    await linking(order).addTags([2, 3]);
    const after = await now();
    const told = await orders.diff(1, before, after);
    await prune({ olderThan: before });
    expect(await links()).toEqual(['+1 +2', '-2', '+2', '-2', '+2 +3']);
    expect(await orders.diff(1, before, after)).toEqual(told);
  });

  test('links of an object with versions stay, since no version holds them', async () => {
    auditLog.registerAudited(Order, { associations: ['tags'], snapshots: true });
    await auditLog.sync();
    try {
      const order = await Order.create({});
      await order.update({ status: 'a' });
      await linking(order).setTags([1, 2]);
      await order.update({ status: 'b' });
      expect(await prune()).toMatchObject({ Order: { entries: 3, versions: 2 } });
      expect(await links()).toEqual(['+1 +2']);
    } finally {
      auditLog.registerAudited(Order, { associations: ['tags'] });
    }
  });

  test('links that came along when the key changed stay, as long as the object is there', async () => {
    const order = await Order.create({ id: 1 });
    await linking(order).addTags([1, 2]);
    await linking(order).removeTags([2]);
    // The links follow the key by their foreign key.
    await Order.update({ id: 7 }, { where: { id: 1 } });
    await Order.update({ id: 8 }, { where: { id: 7 } });
    const before = await now();
    // One after the other: setTags sends both at once.
    const moved = linking((await Order.findByPk(8))!);
    await moved.removeTags([1]);
    await moved.addTags([3]);
    const told = await orders.diff(8, before, 'current', { include: ['tags'] });
    await prune({ olderThan: before });
    expect(told).toMatchObject({ changes: [{ added: [{ pk: '3' }], removed: [{ pk: '1' }] }] });
    expect(await links()).toEqual(['+1 +2', '-2', '-1', '+3']);
    expect(await orders.diff(8, before, 'current', { include: ['tags'] })).toEqual(told);
    await Order.destroy({ where: { id: 8 } });
    await prune();
    await prune();
    expect(await left('Order')).toEqual([]);
  });

  test('a link that came along and went since is not there again', async () => {
    const order = await Order.create({ id: 1 });
    await linking(order).addTags([1, 2, 3]);
    await Order.update({ id: 7 }, { where: { id: 1 } });
    const moved = linking((await Order.findByPk(7))!);
    await moved.removeTags([1]);
    for (const change of ['removeTags', 'addTags', 'removeTags'] as const) await moved[change]([2]);
    const before = await now();
    await moved.addTags([1]);
    await moved.addTags([2]);
    const told = await orders.diff(7, before, 'current', { include: ['tags'] });
    expect(told).toMatchObject({ changes: [{ added: [{ pk: '1' }, { pk: '2' }], removed: [] }] });
    await prune({ olderThan: before });
    expect(await links()).toEqual(['+1 +2 +3', '-1', '-2', '+1', '+2']);
    expect(await orders.diff(7, before, 'current', { include: ['tags'] })).toEqual(told);
  });
});

describe('the mark', () => {
  async function writeAndDelete(): Promise<void> {
    const invoice = await Invoice.create({ status: 'a' });
    await invoice.destroy();
    await (await Order.create({})).destroy();
  }

  test('fault 99: each model of which something was removed gets one entry that says what, by whom and why', async () => {
    await writeAndDelete();
    const [last] = await LogEntry.findAll({ where: { model: 'Invoice' }, order: [['id', 'DESC']], limit: 1 });
    const olderThan = await now();
    await withAuditContext({ actor: 'janitor', reason: 'a year is enough', additionalData: { job: 1 } }, () =>
      auditLog.prune({ olderThan, batchSize: 1 }),
    );
    const found = await marks();
    const [order, invoice] = ['Order', 'Invoice'].map((name) => found.find(({ model }) => model === name));
    expect(order).toMatchObject({ model: 'Order', additionalData: { entries: 2, versions: 0 } });
    expect(invoice).toMatchObject({
      action: 'prune',
      model: 'Invoice',
      objectPk: null,
      objectRepr: 'Invoice',
      changes: null,
      actorId: 'janitor',
      reason: 'a year is enough',
      additionalData: {
        job: 1,
        olderThan,
        entries: 2,
        versions: 2,
        lastTransactionId: last!.transactionId,
        lastEntryId: last!.id,
      },
    });
    expect(await marks()).toHaveLength(2);
  });

  test('listeners are told of it once', async () => {
    await writeAndDelete();
    const events: ModelAuditedEvent[] = [];
    const hear = (event: ModelAuditedEvent): void => void events.push(event);
    auditLog.on('audited', hear);
    try {
      await prune({ models: [Invoice], batchSize: 1 });
      await Order.create({});
      await until(() => events.at(-1)?.action === 'create');
    } finally {
      auditLog.off('audited', hear);
    }
    const [mark] = await marks();
    expect(events.map(({ action, modelName }) => `${action} ${modelName}`)).toEqual([
      'prune Invoice',
      'create Order',
    ]);
    expect(events[0]!.entryId).toBe(mark!.id);
  });

  test('is left inside withoutAudit too: what is gone must be known', async () => {
    await writeAndDelete();
    await withAuditContext({ actor: 'janitor' }, () => withoutAudit(() => prune({ models: ['Order'] })));
    expect((await marks()).map(({ actorId }) => actorId)).toEqual(['janitor']);
  });

  test('H334: a dry run counts exactly what goes, and writes nothing, not even the mark', async () => {
    await writeAndDelete();
    const before = await database.rows('select * from audit_log_entries order by id');
    const planned = await prune({ dryRun: true, batchSize: 1 });
    expect(await database.rows('select * from audit_log_entries order by id')).toEqual(before);
    expect(planned).toMatchObject({
      Order: { entries: 2, versions: 0 },
      Invoice: { entries: 2, versions: 2 },
    });
    expect(await prune()).toEqual(planned);
  });
});
