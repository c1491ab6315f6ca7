import type { Model } from 'sequelize';
import { shop, stock, type Shop } from './shop';
import { equivalence } from './support/equivalence';

const tested = equivalence({ ...shop, options: { pool: { max: 2, acquire: 8000 } } });
type Side = (typeof tested)['plain'];

/** What both sides show of work that runs at random order, and how many entries the audited side left. */
async function both(
  work: (side: Side) => Promise<unknown>,
): Promise<{ plain: unknown; audited: unknown; entries: number }> {
  const [plain, audited] = [await seen(tested.plain, work), await seen(tested.audited, work)];
  return { plain: plain.shown, audited: audited.shown, entries: audited.entries };
}

async function seen(
  side: Side,
  work: (side: Side) => Promise<unknown>,
): Promise<{ shown: unknown; entries: number }> {
  await tested.tables.empty();
  await stock(tested.plain.models);
  const outcome = await work(side);
  const { rows, openTransactions, entries } = await tested.tables.state();
  const sessions = await tested.database.rows(
    `select count(*)::int as n from pg_stat_activity where application_name = $1 and state = 'active'`,
    [tested.database.schema],
  );
  return { shown: { outcome, rows: rows.length, openTransactions, sessions }, entries };
}

/** Runs `work` while a hook of the model does something of its own, outside any transaction. */
async function withHook(
  models: Shop,
  hook: (instance: Model) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<unknown> {
  models.Product.addHook('afterCreate', 'own', async (instance) => void (await hook(instance)));
  try {
    return await work();
  } finally {
    models.Product.removeHook('afterCreate', 'own');
  }
}

const outcomes = async (calls: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(calls)).map((call) =>
    call.status === 'fulfilled' ? 'done' : (call.reason as Error).name,
  );

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

test('hooks that write by a connection of their own go on, with twenty calls on two connections', async () => {
  const result = await both(({ models }) =>
    withHook(
      models,
      (product) => models.Review.create({ name: 'by hook', productId: product.get('id') }),
      () => outcomes(numbers(20).map((at) => models.Product.create({ name: `P${at}` }))),
    ),
  );
  expect(result.audited).toEqual(result.plain);
  expect(result.entries).toBe(40);
});

test('hooks that read and change the row by another connection see it', async () => {
  const result = await both(({ models }) =>
    withHook(
      models,
      (product) => models.Product.update({ price: '7' }, { where: { id: product.get('id') as number } }),
      () => outcomes(numbers(10).map((at) => models.Product.create({ name: `P${at}` }))),
    ),
  );
  expect(result.audited).toEqual(result.plain);
  expect(result.entries).toBe(20);
});

test('two hundred writers on two connections all succeed', async () => {
  const result = await both(({ models }) =>
    outcomes(
      numbers(200).map((at) =>
        at % 2
          ? models.Maker.create({ name: `M${at}` })
          : models.Product.increment('price', { where: { id: 1 } }),
      ),
    ),
  );
  expect(result.audited).toEqual(result.plain);
  expect(result.entries).toBe(200);
});

test('writers of one row side by side lose no update', async () => {
  const result = await both(async ({ models }) => {
    const done = await outcomes(
      numbers(50).map(() => models.Review.increment('stars', { where: { id: 2 } })),
    );
    return [done, (await models.Review.findByPk(2))?.get('stars')];
  });
  expect(result.audited).toEqual(result.plain);
  expect(result.entries).toBe(50);
});

test('a pool that is too small for its transactions fails as it does without auditing', async () => {
  const result = await both(async ({ models, sequelize }) => {
    const first = await sequelize.transaction();
    const second = await sequelize.transaction();
    const late = models.Maker.create({ name: 'late' });
    const waited = await Promise.race([
      late.then(() => 'created'),
      new Promise((resolve) => setTimeout(resolve, 200, 'waiting')),
    ]);
    await Promise.all([first.rollback(), second.rollback()]);
    return [waited, (await late).get('name')];
  });
  expect(result.audited).toEqual(result.plain);
  expect(result.entries).toBe(1);
});

test('destroys that cascade, beside creates of children, fail and succeed as one after the other', async () => {
  const result = await both(async ({ models }) => {
    const destroys = [1, 2, 3].map((id) => models.Product.destroy({ where: { id } }));
    const creates = numbers(10).map((at) =>
      models.Review.create({ name: `R${at}`, productId: (at % 3) + 1 }).catch(() => null),
    );
    await Promise.all([...destroys, ...creates]);
    return [await models.Product.count(), await models.Review.count()];
  });
  expect(result.audited).toMatchObject({ outcome: [0, 0], openTransactions: 0 });
  expect(result.plain).toMatchObject({ outcome: [0, 0], openTransactions: 0 });
  expect(result.entries).toBeGreaterThan(12);
});
