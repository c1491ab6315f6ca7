import { fn, col, literal, type Model } from 'sequelize';
import { failing, pathOver, type Bench, type CallOptions, type WritePath } from '../path';

const VALUES = {
  name: 'Ann',
  age: 30,
  balance: '10.00',
  score: 1.5,
  status: 'new',
  meta: { a: { b: 1 }, list: [1, 2] },
  notes: { x: 1 },
  tags: ['t1', 't2'],
  seen: new Date('2024-05-06T07:08:09.123Z'),
  email: 'ann@example.org',
  password: 'first',
  internal: 'hidden',
};

function ann({ models }: Bench): Promise<Model> {
  return models.Account.create(VALUES);
}

/** A path over one account. */
function over(
  name: string,
  entries: number,
  act: (account: Model, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, ann, (bench, options, account) => act(account, options, bench));
}

export const INSTANCE_PATHS: readonly WritePath[] = [
  over('update', 1, (account, options) => account.update({ name: 'Bea', age: 31 }, options)),
  over('update of every column', 1, (account, options) =>
    account.update(
      {
        name: 'B',
        age: 1,
        balance: '9.99',
        score: -0.25,
        status: 'open',
        meta: [1],
        notes: 'n',
        tags: [],
        seen: new Date(0),
      },
      options,
    ),
  ),
  over('update to null', 1, (account, options) =>
    account.update(
      { name: null, balance: null, meta: null, notes: null, tags: null, seen: null, password: null },
      options,
    ),
  ),
  over('update to the same values', 0, (account, options) => account.update(VALUES, options)),
  over('update with fields', 1, (account, options) =>
    account.update({ name: 'Bea', age: 31 }, { ...options, fields: ['age'] }),
  ),
  over('update with returning', 1, (account, options) =>
    account.update({ age: 31 }, { ...options, returning: true }),
  ),
  over('update without hooks', 1, (account, options) =>
    account.update({ age: 31 }, { ...options, hooks: false }),
  ),
  over('update that is silent', 1, (account, options) =>
    account.update({ age: 31 }, { ...options, silent: true }),
  ),
  over('update without validation', 1, (account, options) =>
    account.update({ email: 'no address' }, { ...options, validate: false }),
  ),
  over('update that a hook adds to', 1, (account, options) =>
    account.update({ age: 31 }, { ...options, hooked: true } as never),
  ),
  over('update of a masked attribute', 1, (account, options) =>
    account.update({ password: 'second' }, options),
  ),
  over('update of an excluded attribute', 0, (account, options) =>
    account.update({ internal: 'other' }, options),
  ),
  over('update of excluded and tracked attributes', 1, (account, options) =>
    account.update({ internal: 'other', age: 31 }, options),
  ),
  over('update through a virtual attribute', 1, (account, options) =>
    account.update({ nick: '~Bea' }, options),
  ),
  over('update through a setter', 1, (account, options) =>
    account.update({ email: 'BEA@example.org' }, options),
  ),
  over('update with literal', 1, (account, options) => account.update({ age: literal('age * 2') }, options)),
  over('update with fn and col', 1, (account, options) =>
    account.update({ name: fn('upper', col('name')) }, options),
  ),
  over('save after set', 1, (account, options) => account.set({ age: 7, name: 'Cy' }).save(options)),
  over('save with fields', 1, (account, options) =>
    account.set({ age: 7, name: 'Cy' }).save({ ...options, fields: ['name'] }),
  ),
  over('save of nothing', 0, (account, options) => account.save(options)),
  over('save after setting twice', 1, (account, options) =>
    account.set('age', 40).set('age', 41).save(options),
  ),
  over('save after setting back', 0, (account, options) =>
    account.set('age', 40).set('age', 30).save(options),
  ),
  over('save after setDataValue', 1, (account, options) => {
    account.setDataValue('age', 44);
    return account.save(options);
  }),
  over('save after JSONB changed in place', 1, (account, options) => {
    (account.get('meta') as { list: number[] }).list.push(3);
    account.changed('meta' as never, true);
    return account.save(options);
  }),
  over('save after JSONB changed in place unnoticed', 0, (account, options) => {
    (account.get('meta') as { list: number[] }).list.push(3);
    return account.save(options);
  }),
  over('save after a JSONB path is set', 1, (account, options) => account.set('meta.a.b', 2).save(options)),
  over('save after JSON changed in place', 1, (account, options) => {
    (account.get('notes') as { x: number }).x = 2;
    account.changed('notes' as never, true);
    return account.save(options);
  }),
  over('save after an array changed in place', 1, (account, options) => {
    (account.get('tags') as string[]).push('t3');
    account.changed('tags' as never, true);
    return account.save(options);
  }),
  over('save of JSON with its keys in another order', 0, (account, options) =>
    account.update({ meta: { list: [1, 2], a: { b: 1 } } }, options),
  ),
  over('save that only touches updatedAt', 0, (account, options) => {
    account.changed('updatedAt' as never, true);
    return account.save(options);
  }),
  over('reload and update', 1, async (account, options) => {
    await account.reload(options);
    await account.update({ age: 31 }, options);
  }),
  over('update of an instance built as not new', 1, (account, options, { models }) => {
    const copy = models.Account.build(
      { id: account.get('id') as number, name: 'copy' },
      { isNewRecord: false },
    );
    return copy.save({ ...options, fields: ['name'] });
  }),
  over('update through a subclass', 1, async (account, options, { models }) => {
    const member = await models.Member.findByPk(account.get('id') as number, options);
    await member?.update({ age: 99 }, options);
  }),
  over('two updates of one row', 2, async (account, options) => {
    await account.update({ age: 31, name: 'Bea' }, options);
    await account.update({ age: 32, score: 7 }, options);
  }),
  over('two updates that cancel each other', 2, async (account, options) => {
    await account.update({ age: 31 }, options);
    await account.update({ age: 30 }, options);
  }),
  pathOver(
    'update of a partly loaded instance',
    1,
    async (bench) => {
      const account = await ann(bench);
      return bench.models.Account.findByPk(account.get('id') as number, { attributes: ['id', 'name'] });
    },
    (_bench, options, account) => account!.update({ age: 31, name: 'Bea' }, options),
  ),
  pathOver(
    'update of a partly loaded instance to the stored value',
    0,
    async (bench) => {
      const account = await ann(bench);
      return bench.models.Account.findByPk(account.get('id') as number, { attributes: ['id', 'name'] });
    },
    (_bench, options, account) => account!.update({ age: 30 }, options),
  ),
  pathOver(
    'update of a stale instance',
    1,
    async (bench) => {
      const account = await ann(bench);
      await bench.database.rows(`update "Accounts" set age = 77, name = 'changed by another'`);
      return account;
    },
    (_bench, options, account) => account.update({ age: 31 }, options),
  ),
  pathOver(
    'update of a stale instance to what is stored already',
    0,
    async (bench) => {
      const account = await ann(bench);
      await bench.database.rows(`update "Accounts" set age = 77`);
      return account;
    },
    (_bench, options, account) => account.update({ age: 77 }, options),
  ),
  pathOver(
    'update of a stale instance to what it believes is stored',
    0,
    async (bench) => {
      const account = await ann(bench);
      await bench.database.rows(`update "Accounts" set age = 77`);
      return account;
    },
    (_bench, options, account) => account.update({ age: 30 }, options),
  ),
  pathOver(
    'update of a row that is gone',
    0,
    async (bench) => {
      const account = await ann(bench);
      await bench.database.rows('delete from "Accounts"');
      return account;
    },
    (_bench, options, account) => account.update({ age: 31 }, options),
  ),
  pathOver(
    'update under optimistic locking',
    1,
    ({ models }) =>
      models.Ledger.create({ entryName: 'rent', amountDue: '12.500', dueOn: '2024-02-29', order: 1 }),
    (_bench, options, ledger) =>
      ledger.update({ amountDue: '12.5', dueOn: '2024-03-01', pinToken: '1234' }, options),
  ),
  pathOver(
    'update that loses under optimistic locking',
    0,
    async ({ models, database }) => {
      const ledger = await models.Ledger.create({ entryName: 'rent' });
      await database.rows('update ledgers set version = 5');
      return ledger;
    },
    (bench, options, ledger) =>
      failing(bench, options, 'SequelizeOptimisticLockError', (inner) =>
        ledger.update({ entryName: 'x' }, inner),
      ),
  ),
  pathOver(
    'update that fails on a unique key',
    0,
    async (bench) => {
      await bench.models.Account.create({ code: 'taken' });
      return ann(bench);
    },
    (bench, options, account) =>
      failing(bench, options, 'SequelizeUniqueConstraintError', (inner) =>
        account.update({ code: 'taken' }, inner),
      ),
  ),
];
