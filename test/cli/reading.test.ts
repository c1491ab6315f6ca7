import { setTimeout as sleep } from 'node:timers/promises';
import { withAuditContext, type LogEntry } from 'sequelize-auditlog';
import { answerOf } from '../support/built';
import { until } from '../support/until';
import { FakeHost, say, type HostOptions, type Said } from './support/host';
import { Shop } from './support/shop';
import { main } from '../../lib/cli/main';

const shop = new Shop();
const { Order, Item, orders } = shop.application;
let created: LogEntry;
let transactionId = '';

beforeAll(async () => {
  await shop.open();
  await shop.install();
  const context = { actor: 'ada', reason: 'ticket 9', correlationId: 'req-1' };
  await Order.create({ id: 1, status: 'new' });
  await withAuditContext(context, () => Order.update({ status: 'paid' }, { where: { id: 1 } }));
  await Order.update({ status: 'sent\u001b[31m' }, { where: { id: 1 } });
  await Item.create({ id: 7, name: 'pen' });
  created = (await orders.entries(1)).at(-1)!;
  transactionId = (await orders.entries(1))[1]!.transactionId!;
});
afterAll(() => shop.close());

const bare = (...argv: string[]): Promise<Said> => say([...argv, '--url', shop.url]);
const json = (said: Said): unknown => JSON.parse(said.stdout);
const statusOf = async (): Promise<unknown> => (await Order.findByPk(1))!.get('status');

describe('show', () => {
  test('tells the history of an object in sentences, newest first, without the models', async () => {
    const { code, stdout } = await bare('show', 'Order', '1');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TIME \(UTC\)\s+ENTRY\s+WHAT$/);
    expect(lines.slice(1).map((line) => line.replace(/^\S+ \S+\s+\d+\s+/, ''))).toEqual([
      'system updated status of Order 1: paid → sent\\u001b[31m',
      'ada updated status of Order 1: new → paid (ticket 9)',
      'system created Order 1',
    ]);
  });

  test('tells what a request or a transaction did, and of nothing that there is none', async () => {
    for (const flags of [
      ['--request', 'req-1'],
      ['--transaction', transactionId],
    ])
      expect(json(await bare('show', ...flags, '--json'))).toMatchObject([
        { objectPk: '1', reason: 'ticket 9' },
      ]);
    const none = await bare('show', 'Order', '99', '--json');
    expect([none.code, json(none), none.stderr]).toEqual([0, [], 'The log has no entry of it.\n']);
  });

  test('says when there is more than it shows', async () => {
    const { stdout, stderr } = await bare('show', 'Order', '1', '--limit', '2', '--json');
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stderr).toContain('--limit');
  });

  test('shows the state at a time, after an entry, or after a version', async () => {
    const state = async (at: string): Promise<unknown> =>
      json(await shop.say(['show', 'Order', '1', '--at', at, '--json']));
    expect(await state(created.id)).toEqual({
      model: 'Order',
      objectPk: '1',
      at: `entry ${created.id}`,
      values: { id: 1, status: 'new' },
      unknown: {},
    });
    const [version] = await orders.versions(1, { order: [['historyId', 'ASC']], limit: 1 });
    expect(await state(`version:${version!.historyId}`)).toMatchObject({ values: { status: 'new' } });
    expect(await state('9999-12-31')).toMatchObject({ values: { status: 'sent\u001b[31m' } });
    const { stdout } = await shop.say(['show', 'Order', '1', '--at', `entry:${created.id}`]);
    expect(stdout).toBe('ATTRIBUTE  VALUE\nid         1\nstatus     new\n');
  });

  test('refuses a time without the object, and what it needs models for', async () => {
    const early = await shop.say(['show', 'Order', '1', '--at', '2001-01-01']);
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/^ERR_AUDIT_NOT_THERE: /)]);
    const lost = await shop.say(['show', 'Order', '1', '--at', 'version:999']);
    expect([lost.code, lost.stderr]).toEqual([1, 'There is no version 999 of Order.\n']);
    expect((await bare('show', 'Order', '1', '--at', '1d')).stderr).toContain('--require');
    const typo = await shop.say(['show', 'Ordr', '1', '--at', '1d']);
    expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining('Did you mean "Order"?')]);
    for (const argv of [
      ['show'],
      ['show', 'Order'],
      ['show', 'Order', '1', '--request', 'x'],
      ['show', '--request', 'x', '--at', '1d'],
    ])
      expect((await bare(...argv)).code).toBe(2);
    expect((await bare('show', 'Order', '1', '--at', 'yesterday')).stderr).toContain('Expected a time');
  });
});

describe('diff', () => {
  test('shows what differs between two points', async () => {
    const said = await shop.say(['diff', 'Order', '1', '--from', created.id]);
    expect(said.stdout).toBe(`ATTRIBUTE  entry ${created.id}  now\nstatus     new      sent\\u001b[31m\n`);
    const answer = await shop.say(['diff', 'Order', '1', '--from', 'current', '--to', created.id, '--json']);
    expect(json(answer)).toEqual({
      model: 'Order',
      objectPk: '1',
      changes: [{ attribute: 'status', old: 'sent\u001b[31m', new: 'new' }],
    });
    const none = await shop.say(['diff', 'Order', '1', '--from', 'current']);
    expect(none.stdout).toBe('Nothing differs.\n');
  });
});

describe('revert', () => {
  const revert = (argv: string[], options?: HostOptions): Promise<Said> =>
    shop.say(['revert', 'Order', '1', '--to', created.id, ...argv], options);
  beforeEach(() => Order.update({ status: 'sent' }, { where: { id: 1 } }));

  test('without a terminal it wants to be told that it may', async () => {
    expect(await revert([])).toMatchObject({ code: 2, stdout: '' });
    expect(await statusOf()).toBe('sent');
  });

  test('a dry run tells what it would change, and changes nothing', async () => {
    const { code, stdout } = await revert(['--dry-run']);
    expect([code, stdout]).toEqual([
      0,
      'ATTRIBUTE  NOW   AFTER\nstatus     sent  new\nWould change 1 attribute of Order 1.\n',
    ]);
    expect(json(await revert(['--dry-run', '--json']))).toMatchObject({
      changes: [{ attribute: 'status', now: 'sent', after: 'new' }],
      obstacles: [],
      entry: null,
    });
    expect(await statusOf()).toBe('sent');
  });

  test('with --yes it puts back, and the entry says who, why and from where', async () => {
    const said = await revert([
      '--yes',
      '--reason',
      'ticket 10',
      '--actor',
      'ada',
      '--only',
      'status',
      '--json',
    ]);
    expect(said.code).toBe(0);
    const { entry } = json(said) as { entry: LogEntry };
    expect(entry).toMatchObject({
      actorId: 'ada',
      reason: 'ticket 10',
      changes: { status: ['sent', 'new'] },
    });
    expect(entry.request).toMatch(/^sequelize-auditlog revert /);
    expect(await statusOf()).toBe('new');
    expect((await revert(['--yes'])).stdout).toMatch(/^Nothing to change: Order 1 is as it was/);
  });

  test('at a terminal the plan is shown and a person asked', async () => {
    const no = await revert([], { isTerminal: true, input: 'n\n' });
    expect([no.code, await statusOf()]).toEqual([1, 'sent']);
    expect(no.stdout).toContain('AFTER');
    expect(no.stderr).toContain('This changes 1 attribute of Order 1. Go on? [y/N]');
    const yes = await revert([], { isTerminal: true, input: 'y\n' });
    expect([yes.code, await statusOf()]).toEqual([0, 'new']);
    expect(yes.stdout).toMatch(/Put Order 1 back to entry \d+ \(entry \d+\)\.\n$/);
  });

  test('what changed since the plan was shown is a conflict', async () => {
    shop.lend();
    const host = new FakeHost(['revert', 'Order', '1', '--to', created.id, '--require', './shared.cjs'], {
      isTerminal: true,
      input: null,
      cwd: shop.folder,
    });
    const ending = main(host);
    await until(() => host.stderr.text.includes('Go on?'));
    await Order.update({ status: 'lost' }, { where: { id: 1 } });
    host.stdin.end('y\n');
    expect([await ending, await statusOf()]).toEqual([4, 'lost']);
    expect(host.stderr.text).toContain('ERR_AUDIT_CONFLICT');
  });

  test('an obstacle is named, and is a conflict, also of a dry run', async () => {
    await Order.destroy({ where: { id: 1 } });
    await Order.create({ id: 1, status: 'another' });
    for (const flag of ['--yes', '--dry-run']) {
      const { code, stderr } = await revert([flag]);
      expect([code, stderr]).toEqual([
        4,
        expect.stringContaining('another object was created under its key'),
      ]);
    }
    expect(await statusOf()).toBe('another');
    expect((await revert(['--yes', '--force'])).code).toBe(0);
    expect(await statusOf()).toBe('new');
  });
});

describe('tail', () => {
  /** Runs it until it has said `what`, then interrupts it. */
  async function tailed(argv: string[], what: string, work?: () => Promise<unknown>): Promise<Said> {
    const host = new FakeHost(['tail', ...argv, '--url', shop.url], { input: null });
    const ending = main(host);
    if (work) await Promise.all([sleep(0), until(isListening), work()]);
    await until(() => host.stdout.text.includes(what));
    host.signals.emit('SIGINT');
    return { code: await ending, stdout: host.stdout.text, stderr: host.stderr.text };
  }

  /** Whether it looks at the log. */
  async function isListening(): Promise<boolean> {
    const sql = `select 1 from pg_stat_activity where application_name = 'sequelize-auditlog' and query like '%pg_visible_in_snapshot%'`;
    return (await shop.database.rows(sql)).length > 0;
  }

  test('tells entries one a line until it is interrupted, and then how to go on', async () => {
    const all = await tailed(['--after', 'oldest', '--model', 'Item'], 'Item 7');
    expect(all.stdout).toMatch(/^\S+ \S+ {2}system created Item 7\n$/);
    const [, cursor] = /--after (\S+)\n$/.exec(all.stderr)!;
    expect(all.code).toBe(130);
    await Item.update({ name: 'ink' }, { where: { id: 7 } });
    const rest = await tailed(['--after', cursor!, '--json', '--model', 'Item'], '"ink"');
    const lines = rest.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { entry: LogEntry });
    expect(lines.map(({ entry }) => entry.changes)).toEqual([{ name: ['pen', 'ink'] }]);
  });

  test('begins with what comes from now on', async () => {
    const { stdout } = await tailed([], 'nib', async () => {
      await until(isListening);
      await Item.update({ name: 'nib' }, { where: { id: 7 } });
    });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a cursor that is none is a wrong usage', async () => {
    expect(await bare('tail', '--after', 'then')).toMatchObject({ code: 2, stdout: '' });
  });

  test('as a process, a closed pipe is silent, and Ctrl-C ends it with 130', async () => {
    const child = shop.project.start(['tail', '--after', 'oldest', '--url', shop.url]);
    child.stdout.once('data', () => child.stdout.destroy());
    const writing = (async () => {
      while (child.exitCode === null) {
        await Item.update({ name: `n${Date.now()}` }, { where: { id: 7 } });
        await sleep(50);
      }
    })();
    const { code, stderr } = await answerOf(child);
    await writing;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const second = shop.project.start(['tail', '--after', 'oldest', '--url', shop.url]);
    second.stdout.once('data', () => second.kill('SIGINT'));
    expect((await answerOf(second)).code).toBe(130);
  });
});
