import type { Model } from 'sequelize';
import { pathOver, type Bench, type CallOptions, type WritePath } from '../path';

async function three({ models }: Bench): Promise<Model> {
  await models.Account.bulkCreate([
    { name: 'b', age: 2, score: 2 },
    { name: 'c', age: 2, balance: '5.00' },
  ]);
  return models.Account.create({ name: 'a', age: 1, score: 0.5, balance: '1.00' });
}

function over(
  name: string,
  entries: number,
  act: (account: Model, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, three, (bench, options, account) => act(account, options, bench));
}

export const INCREMENT_PATHS: readonly WritePath[] = [
  over('increment', 1, (account, options) => account.increment('age', options)),
  over('increment by', 1, (account, options) => account.increment('age', { ...options, by: 5 })),
  over('increment by a negative number', 1, (account, options) =>
    account.increment('age', { ...options, by: -5 }),
  ),
  over('increment by a fraction', 1, (account, options) =>
    account.increment('score', { ...options, by: 0.1 }),
  ),
  over('increment of a DECIMAL', 1, (account, options) =>
    account.increment('balance', { ...options, by: 0.25 }),
  ),
  over('increment by nought', 0, (account, options) => account.increment('age', { ...options, by: 0 })),
  over('increment of several attributes', 1, (account, options) =>
    account.increment(['age', 'score'], { ...options, by: 2 }),
  ),
  over('increment of each by its own', 1, (account, options) =>
    account.increment({ age: 3, score: -1.5 }, options),
  ),
  over('increment that is silent', 1, (account, options) =>
    account.increment('age', { ...options, silent: true }),
  ),
  over('decrement', 1, (account, options) => account.decrement('age', options)),
  over('decrement of each by its own', 1, (account, options) =>
    account.decrement({ age: 3, balance: 0.5 }, options),
  ),
  over('three increments in a row', 3, async (account, options) => {
    for (let times = 0; times < 3; times += 1) await account.increment('age', options);
  }),
  over('static increment', 2, (_account, options, { models }) =>
    models.Account.increment('age', { ...options, where: { age: 2 } }),
  ),
  over('static increment of each by its own', 3, (_account, options, { models }) =>
    models.Account.increment({ age: 2, score: 1 }, { ...options, where: {} }),
  ),
  over('static decrement', 2, (_account, options, { models }) =>
    models.Account.decrement('age', { ...options, by: 4, where: { age: 2 } }),
  ),
  over('static increment of a null', 0, (_account, options, { models }) =>
    models.Account.increment('score', { ...options, where: { name: 'c' } }),
  ),
  over('static increment of nothing', 0, (_account, options, { models }) =>
    models.Account.increment('age', { ...options, where: { name: 'nobody' } }),
  ),
  pathOver(
    'increment of a mapped column under optimistic locking',
    1,
    ({ models }) => models.Ledger.create({ amountDue: 1, order: 1 }),
    (_bench, options, ledger) => ledger.increment(['amountDue', 'order'], options),
  ),
];
