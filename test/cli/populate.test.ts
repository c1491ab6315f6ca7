import { say } from './support/host';
import { Shop, type Application } from './support/shop';

const shop = new Shop();

beforeAll(() => shop.open());
afterAll(() => shop.close());

beforeEach(async () => {
  await shop.empty();
  await shop.database.rows(`insert into "Orders" select n, 'new' from generate_series(1, 25) n`);
});

async function versions(): Promise<number> {
  return (await shop.application.orders.latestOfEach()).length;
}

const withoutVersions = ({ auditLog, Order }: Application): unknown => auditLog.registerAudited(Order);

test('H309 without a model a hint is given and nothing written', async () => {
  const { code, stdout, stderr } = await shop.say(['populate']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe('populate: nothing is written without names of models. Give some, or --all.\n');
  expect(await versions()).toBe(0);
});

test.each([
  ['Ordre', 'There is no model "Ordre". Did you mean "Order"?'],
  ['Note', '"Note" is not registered: registerAudited(Note, { snapshots: true }).'],
  ['Item', '"Item" is registered without snapshots, so it has no versions'],
  ['Order,Item', '"Order,Item" is no name of a model: give names one by one'],
  ['', '"" is no name of a model'],
])('H310 the name %j fails with a message of its own', async (name, message) => {
  const { code, stdout, stderr } = await shop.say(['populate', name]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

test('H311 --all writes versions of every model with snapshots that lacks them', async () => {
  const { code, stdout, stderr } = await shop.say(['populate', '--all']);
  expect([code, stdout, stderr]).toEqual([0, 'Order: 25 rows got a first version.\n', '']);
  expect(await versions()).toBe(25);
  expect((await shop.say(['populate', '--all', '--json'])).stdout).toBe(
    '{\n  "Order": {\n    "written": 0\n  }\n}\n',
  );
});

test('H313 when a name is wrong nothing is written for any, and every wrong one is told of', async () => {
  const { code, stderr } = await shop.say(['populate', 'Order', 'Nothing', 'Item']);
  expect(code).toBe(2);
  expect(stderr.split('\n')).toEqual([
    'populate: There is no model "Nothing".',
    expect.stringContaining('populate: "Item" is registered without snapshots'),
    '',
  ]);
  expect(await versions()).toBe(0);
});

test('H314 a batch smaller than the rows gives the same result', async () => {
  const { code, stdout } = await shop.say(['populate', 'Order', '--batch', '10']);
  expect([code, stdout]).toEqual([0, 'Order: 25 rows got a first version.\n']);
  expect(await versions()).toBe(25);
});

test('H317 with no model that has snapshots the command says so', async () => {
  const { code, stdout, stderr } = await shop.say(['populate', '--all'], {}, withoutVersions);
  expect([code, stdout, stderr]).toEqual([0, '', 'No registered model has snapshots.\n']);
});

test('H318 --quiet prints nothing; on a terminal progress is shown', async () => {
  const quiet = await shop.say(['populate', 'Order', '--quiet'], { isTerminal: true });
  expect(quiet).toEqual({ code: 0, stdout: '', stderr: '' });
  await shop.empty();
  await shop.database.rows(`insert into "Orders" values (1, 'new')`);
  const shown = await shop.say(['populate', 'Order'], { isTerminal: true });
  expect(shown.stderr).toContain('[########################] 100% Order: 1 of 1');
  expect(shown.stdout).toBe('Order: 1 row got a first version.\n');
});

test('a dry run counts and writes nothing', async () => {
  const asJson = await shop.say(['populate', '--all', '--dry-run', '--json']);
  expect(JSON.parse(asJson.stdout)).toEqual({ Order: { lacking: 25 } });
  const { code, stdout } = await shop.say(['populate', 'Order', '--dry-run']);
  expect([code, stdout]).toEqual([0, 'Order: 25 rows would get a first version.\n']);
  expect(await versions()).toBe(0);
});

test('names and --all contradict each other', async () => {
  expect((await shop.say(['populate', 'Order', '--all'])).code).toBe(2);
});

test('without the application’s models it says which flag is needed', async () => {
  const { code, stderr } = await say(['populate', '--all', '--url', shop.url]);
  expect(code).toBe(2);
  expect(stderr).toBe('populate needs the models: --require names the module that exports auditLog.\n');
});

test('Ctrl-C finishes the batch at work, and the same command goes on from there', async () => {
  const { code, stdout, stderr } = await shop.say(['populate', 'Order', '--batch', '10'], {
    isTerminal: true,
    interruptAt: /10 of 25/,
  });
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toContain(
    'Stopped after 10 versions of Order. Run the same command again: it goes on from here.',
  );
  expect(await versions()).toBe(10);
  const again = await shop.say(['populate', 'Order', '--batch', '10']);
  expect([again.code, again.stdout]).toEqual([0, 'Order: 15 rows got a first version.\n']);
});
