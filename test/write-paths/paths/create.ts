import { fn, literal } from 'sequelize';
import { failing, path, pathOver } from '../path';

export const CREATE_PATHS = [
  path('create', 1, ({ models }, options) =>
    models.Account.create({ name: 'a', age: 3, status: 'new' }, options),
  ),
  path('create with database and model defaults only', 1, ({ models }, options) =>
    models.Account.create({}, options),
  ),
  path('create with explicit nulls', 1, ({ models }, options) =>
    models.Account.create({ name: null, age: null, meta: null, notes: null, tags: null }, options),
  ),
  path('create with fields', 1, ({ models }, options) =>
    models.Account.create({ name: 'a', age: 3, score: 1.5 }, { ...options, fields: ['name', 'score'] }),
  ),
  path('create with literal and fn', 1, ({ models }, options) =>
    models.Account.create({ name: fn('upper', 'abc'), age: literal('20 + 1') }, options),
  ),
  path('create with setter, virtual and masked attributes', 1, ({ models }, options) =>
    models.Account.create(
      { nick: '~virtual', email: 'A@B.example', password: 'secret', internal: 'x' },
      options,
    ),
  ),
  path('create without returning', 1, ({ models }, options) =>
    models.Account.create({ name: 'a' }, { ...options, returning: false }),
  ),
  path('create without hooks', 1, ({ models }, options) =>
    models.Account.create({ name: 'a' }, { ...options, hooks: false }),
  ),
  path('create through a scope', 1, ({ models }, options) =>
    models.Account.scope('open').create({ name: 'a' }, options),
  ),
  path('create through unscoped', 1, ({ models }, options) =>
    models.Account.unscoped().create({ name: 'a' }, options),
  ),
  path('create through a subclass', 1, ({ models }, options) =>
    models.Member.create({ name: 'member' }, options),
  ),
  path('build and save', 1, ({ models }, options) =>
    models.Account.build({ name: 'a', meta: { b: [1] } }).save(options),
  ),
  path('build, set and save with fields', 1, ({ models }, options) => {
    const account = models.Account.build({ name: 'a', age: 8 });
    account.set({ score: 2, balance: '1.10' });
    return account.save({ ...options, fields: ['name', 'balance'] });
  }),
  path('findOrCreate of a new row', 1, ({ models }, options) =>
    models.Account.findOrCreate({ where: { code: 'x' }, defaults: { name: 'new' }, ...options }),
  ),
  pathOver(
    'findOrCreate of a row that is there',
    0,
    ({ models }) => models.Account.create({ code: 'x' }),
    ({ models }, options) =>
      models.Account.findOrCreate({ where: { code: 'x' }, defaults: { name: 'new' }, ...options }),
  ),
  pathOver(
    'findOrCreate that loses to another key',
    0,
    ({ models }) => models.Account.create({ code: 'x' }),
    ({ models }, options) =>
      models.Account.findOrCreate({ where: { name: 'nobody' }, defaults: { code: 'x' }, ...options }).catch(
        () => null,
      ),
  ),
  path('findCreateFind of a new row', 1, ({ models }, options) =>
    models.Account.findCreateFind({ where: { code: 'x' }, defaults: { name: 'new' }, ...options }),
  ),
  pathOver(
    'findCreateFind of a row that is there',
    0,
    ({ models }) => models.Account.create({ code: 'x' }),
    ({ models }, options) => models.Account.findCreateFind({ where: { code: 'x' }, ...options }),
  ),
  path('findOrBuild and save', 1, async ({ models }, options) => {
    const [account] = await models.Account.findOrBuild({
      where: { code: 'x' },
      defaults: { name: 'new' },
      ...options,
    });
    await account.save(options);
  }),
  path('create that fails validation', 0, (bench, options) =>
    failing(bench, options, 'SequelizeValidationError', (inner) =>
      bench.models.Account.create({ email: 'no address' }, inner),
    ),
  ),
  pathOver(
    'create that fails on a unique key',
    0,
    ({ models }) => models.Account.create({ code: 'x' }),
    (bench, options) =>
      failing(bench, options, 'SequelizeUniqueConstraintError', (inner) =>
        bench.models.Account.create({ code: 'x' }, inner),
      ),
  ),
  path('create that fails on a foreign key', 0, (bench, options) =>
    failing(bench, options, 'SequelizeForeignKeyConstraintError', (inner) =>
      bench.models.Profile.create({ accountId: 4_000_000 }, inner),
    ),
  ),
  path('create of an unregistered model', 0, ({ models }, options) =>
    models.Scrap.create({ text: 'a' }, options),
  ),
];
