import express, { type Request } from 'express';
import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import {
  createAuditLog,
  currentAuditContext,
  withAuditContext,
  type RegistrationOptions,
} from 'sequelize-auditlog';
import request from 'supertest';
import { entriesOf, entryOf, openAudited, refusalOf } from '../support/audited';
import { testDatabase } from '../support/database';

const MASK = '********';
const HUSH = /hush/;

const database = testDatabase();
const { sequelize } = database;
const secretKinds = {
  password: DataTypes.TEXT,
  note: DataTypes.TEXT,
  card: DataTypes.TEXT,
  pin: DataTypes.INTEGER,
  profile: DataTypes.JSONB,
  keys: DataTypes.ARRAY(DataTypes.TEXT),
  born: DataTypes.DATEONLY,
  email: DataTypes.TEXT,
  open: DataTypes.JSONB,
};
const User = sequelize.define('User', secretKinds);
const Order = sequelize.define('Order', { status: DataTypes.TEXT, internalNotes: DataTypes.TEXT });
Order.belongsTo(User, { foreignKey: 'userId' });
const auditLog = createAuditLog(sequelize, { actor: { model: User, label: 'email' } });
const users = auditLog.registerAudited(User, {
  mask: { note: true, card: { keepLast: 4 }, pin: true, profile: true, keys: true, born: true, email: true },
  snapshots: true,
});
auditLog.registerAudited(Order, { exclude: ['internalNotes'], snapshots: true });

const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
const warnings = (): string => emitWarning.mock.calls.map(([warning]) => String(warning)).join('\n');
beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

const clear = {
  password: 'pw-hush',
  note: 'note-hush',
  card: 'hush-4111-1111-1111-1234',
  pin: 918273645,
  profile: { nested: [{ deep: 'json-hush' }], 'key-hush': 1 },
  keys: ['key-hush'],
  born: '1977-07-07',
  email: 'mail-hush@example.com',
};
const OTHER_SECRETS = /918273645|1977-07-07|4111-1111/;

/** All that stands in any table of the log, as text. */
async function allText(): Promise<string> {
  const tables = ['audit_log_entries', 'Users_history', 'Orders_history'];
  const union = tables.map((table) => `select t::text as row from "${table}" t`).join(' union all ');
  return (await database.rows<{ row: string }>(union)).map(({ row }) => row).join('\n');
}

function expectHidden(text: string): void {
  expect(text).not.toMatch(HUSH);
  expect(text).not.toMatch(OTHER_SECRETS);
}

/** Every kind of write, with secrets in clear. */
async function writeAll(): Promise<Model> {
  const user = await User.create(clear);
  const where = { id: user.get('id') as number };
  await user.update({ note: 'other-hush', pin: 918273645, profile: { a: 'hush' } });
  await User.update({ password: 'bulk-hush', card: 'hush-5678' }, { where });
  await User.bulkCreate([clear, clear]);
  await User.upsert({ ...clear, ...where });
  await User.findOrCreate({ where: { note: 'found-hush' }, defaults: clear });
  await User.increment('pin', { where });
  await sequelize.query('update "Users" set password = ? where id = ?', {
    replacements: ['raw-hush', where.id],
  });
  await User.destroy({ where });
  return user;
}

describe('49 a masked value in clear', () => {
  test('is in no table of the log, whatever was written and how', async () => {
    const entries = await entriesOf(auditLog, writeAll);
    expect(entries.length).toBeGreaterThanOrEqual(9);
    const text = await allText();
    expect(text).toContain(MASK);
    expectHidden(text);
  });

  test('is in no text form: describe, displayChanges, toJSON, versions and their differences', async () => {
    const user = await writeAll();
    const entries = await users.entries(user.get('id') as number);
    const versions = await users.versions(user.get('id') as number);
    const diffs = versions.slice(1).map((older, at) => versions[at]!.diffAgainst(older).changes);
    const forms = entries.flatMap((entry) => [
      entry.describe(),
      entry.displayChanges(),
      entry.toJSON(),
      entry.get(),
      entry,
    ]);
    expect(diffs.flat().length).toBeGreaterThan(0);
    expectHidden(JSON.stringify([forms, versions, diffs]));
    expect(versions[0]!.toInstance().get()).not.toHaveProperty('password');
  });

  test('is in no entry that the application makes by hand', async () => {
    const user = await User.create(clear, { audit: false });
    const changes = {
      password: ['old-hush', 'new-hush'],
      profile: [null, { a: 'hush' }],
      apiToken: [null, 'hush'],
    };
    const entry = await entryOf(auditLog, () => auditLog.log(user, { action: 'import', changes } as never));
    expect(entry.changes).toEqual({ password: [MASK, MASK], profile: [null, MASK], apiToken: [null, MASK] });
  });

  test('is not compared with: null is told from a value, equal values leave no entry', async () => {
    const user = await User.create(clear);
    expect(
      await entriesOf(auditLog, () => User.update(clear, { where: { id: user.get('id') as number } })),
    ).toEqual([]);
    const entry = await entryOf(auditLog, () => user.update({ note: null, password: 'other-hush' }));
    expect(entry.changes).toEqual({ note: [MASK, null], password: [MASK, MASK] });
  });

  test('is in no error or warning when the entry cannot be stored', async () => {
    const constraint = 'alter table audit_log_entries add constraint no_reason check (reason is null)';
    await database.rows(constraint);
    const audit = { reason: 'refused' };
    const user = await User.create(clear, { audit: false });
    const attempts = [
      () => User.create(clear, { audit }),
      () => User.bulkCreate([clear], { audit }),
      () => user.update({ ...clear, note: 'new-hush' }, { audit }),
      () => user.destroy({ audit }),
    ];
    for (const attempt of attempts) {
      const error = await refusalOf(attempt);
      expect(error.code).toBe('ERR_AUDIT_WRITE_FAILED');
      const cause = error.cause as Error;
      const told = [
        error.message,
        error.stack,
        cause.message,
        cause.stack,
        Object.entries(error),
        Object.entries(cause),
      ];
      expectHidden(JSON.stringify(told));
    }
    await database.rows('alter table audit_log_entries drop constraint no_reason');
    expectHidden(warnings());
  });

  test('is in no warning of raw SQL that is not recorded', async () => {
    const merge = `merge into "Users" u using (select 'merge-hush' as v) s on false when not matched then do nothing`;
    await sequelize.query(merge);
    expect(warnings()).toContain('merge');
    expectHidden(warnings());
  });
});

describe('a masked attribute as the label of an actor', () => {
  const byLabel = async (actor: unknown) => {
    const entry = await entryOf(auditLog, () =>
      withAuditContext({ actor: actor as never }, () => Order.create({})),
    );
    return entry.actorLabel;
  };

  test('49 shows the mask, however the actor is given', async () => {
    const user = await User.create(clear, { audit: false });
    const id = user.get('id') as number;
    expect(await byLabel(user)).toBe(MASK);
    expect(await byLabel(id)).toBe(MASK);
    expect(await byLabel({ id, email: 'mail-hush@example.com' })).toBe(MASK);
    expectHidden(await allText());
  });

  test('49 shows it in a context handed to a queue', async () => {
    const user = await User.create(clear, { audit: false });
    const snapshot = withAuditContext({ actor: user }, currentAuditContext)!;
    expect(snapshot.actor!.label).toBe(MASK);
    expectHidden(JSON.stringify(snapshot));
  });

  test('49 and by default the next attribute that is not masked is the label, never a masked one', async () => {
    const own = database.createSequelize();
    const Member = own.define('Member', { email: DataTypes.TEXT, username: DataTypes.TEXT });
    const log = createAuditLog(own, { actor: { model: Member } });
    log.registerAudited(Member, { mask: ['email'] });
    await own.sync();
    const member = await Member.create({ email: 'mail-hush', username: 'ann' });
    for (const actor of [member, member.get('id') as number]) {
      const entry = await entryOf(log, () => withAuditContext({ actor }, () => Member.create({})));
      expect(entry.actorLabel).toBe('ann');
    }
  });
});

describe('keepLast', () => {
  const kept = async (card: string | null) =>
    (await entryOf(auditLog, () => User.create({ card }))).changes!['card'];

  test.each([
    ['1234567890123456', `${MASK}3456`],
    ['123456789', `${MASK}6789`],
    ['12345678', MASK],
    ['1234', MASK],
    ['', MASK],
    ['ääääääääö€😀z', `${MASK}ö€😀z`],
  ])('49 shows of %p no more than %p', async (card, stored) => {
    expect(await kept(card)).toEqual([null, stored]);
  });

  test('49 leaves null null', async () => {
    expect(await kept(null)).toBeUndefined();
  });

  test('49 51 of a number counts the digits, of JSON shows nothing', async () => {
    const Kept = sequelize.define('Kept', { n: DataTypes.BIGINT, data: DataTypes.JSONB });
    auditLog.registerAudited(Kept, { mask: { n: { keepLast: 2 }, data: { keepLast: 1 } }, snapshots: true });
    await Kept.sync();
    await auditLog.sync();
    const entry = await entryOf(auditLog, () => Kept.create({ n: '123456', data: { a: 1 } }));
    expect(entry.changes).toMatchObject({ n: [null, `${MASK}56`], data: [null, MASK] });
    expect((await entryOf(auditLog, () => Kept.create({ n: '1234' }))).changes!['n']).toEqual([null, MASK]);
  });
});

describe('51 JSON', () => {
  test('that is masked is masked whole, whatever it nests', async () => {
    const entry = await entryOf(auditLog, () =>
      User.create({ profile: { public: [1, { deeper: true }] }, keys: ['a', 'b'] }),
    );
    expect(entry.changes).toMatchObject({ profile: [null, MASK], keys: [null, MASK] });
  });

  test('that is not masked is kept, with keys of whatever name', async () => {
    const open = { password: 'visible', token: { secret: 1 } };
    const entry = await entryOf(auditLog, () => User.create({ open }));
    expect(entry.changes!['open']).toEqual([null, open]);
  });
});

test('52 a change stays visible without telling length or equality', async () => {
  const user = await User.create({ note: 'a', pin: 1 });
  const first = await entryOf(auditLog, () => user.update({ note: 'b'.repeat(1000), pin: 2 }));
  const second = await entryOf(auditLog, () => user.update({ note: 'a', pin: 1 }));
  expect(first.changes).toEqual({ note: [MASK, MASK], pin: [MASK, MASK] });
  expect(second.changes).toEqual(first.changes);
});

describe('the default pattern', () => {
  async function maskedOf(
    names: readonly string[],
    options: RegistrationOptions = {},
  ): Promise<readonly string[]> {
    const columns = Object.fromEntries(names.map((name) => [name, DataTypes.TEXT]));
    const own = database.createSequelize();
    const Named: ModelStatic<Model> = own.define('Named', columns, { timestamps: false });
    return createAuditLog(own).registerAudited(Named, options).masked;
  }

  const SECRET = [
    'password',
    'Password',
    'userPassword',
    'password_hash',
    'passwordDigest',
    'passwd',
    'dbPwd',
    'pwd',
    'secret',
    'clientSecret',
    'client_secret',
    'token',
    'resetToken',
    'accessTokenHash',
    'apiKey',
    'api_key',
    'APIKEY',
    'privateKey',
    'private_key',
    'cvv',
    'cardCvc',
    'ssn',
    'cardNumber',
    'card_number',
    'secretHash',
  ];
  const OPEN = [
    'passwordChangedAt',
    'tokenCount',
    'passwordless',
    'secretary',
    'tokenised',
    'tokens',
    'publicKey',
    'key',
    'email',
    'hash',
    'cardHolder',
    'number',
    'apiKeyId',
    'passwordHint',
    'lastTokenAt',
  ];

  test('masks names of secrets', async () => {
    expect(await maskedOf([...SECRET, ...OPEN])).toEqual(SECRET);
  });

  test('is anchored at the end: other names stay readable', async () => {
    expect(await maskedOf(OPEN)).toEqual([]);
  });

  test('goes with the names that are listed; masked tells all', async () => {
    expect(await maskedOf(['password', 'note', 'other'], { mask: ['note'] } as never)).toEqual([
      'password',
      'note',
    ]);
  });

  test('goes by attribute name, not by column', async () => {
    const own = database.createSequelize();
    const Renamed = own.define('Renamed', {
      password: { type: DataTypes.TEXT, field: 'pw_enc' },
      code: { type: DataTypes.TEXT, field: 'token' },
    });
    expect(createAuditLog(own).registerAudited(Renamed).masked).toEqual(['password']);
  });

  test('a listed rule wins over it', async () => {
    const own = database.createSequelize();
    const Card = own.define('Card', { cardNumber: DataTypes.TEXT });
    const log = createAuditLog(own);
    log.registerAudited(Card, { mask: { cardNumber: { keepLast: 4 } } });
    await own.sync();
    const entry = await entryOf(log, () => Card.create({ cardNumber: '1234567890' }));
    expect(entry.changes!['cardNumber']).toEqual([null, `${MASK}7890`]);
  });

  test('can be switched off, and one with the flag g masks every time', async () => {
    const [off, global] = [database.createSequelize(), database.createSequelize()];
    const columns = { password: DataTypes.TEXT, password2: DataTypes.TEXT };
    const one = createAuditLog(off, { mask: false }).registerAudited(off.define('A', columns));
    const two = createAuditLog(global, { mask: /password/g }).registerAudited(global.define('A', columns));
    expect([one.masked, two.masked]).toEqual([[], ['password', 'password2']]);
  });
});

test('masked lists what is masked, listed or by name, in the order of the model', () => {
  expect(users.masked).toEqual(['password', 'note', 'card', 'pin', 'profile', 'keys', 'born', 'email']);
});

test('53 query strings, headers, bodies and statements are not stored', async () => {
  const app = express().use(express.json(), auditLog.auditMiddleware);
  app.post('/users', async (_req: Request, res) => {
    await User.create(clear);
    res.sendStatus(201);
  });
  await request(app)
    .post('/users?access=url-hush')
    .set('Authorization', 'Bearer hush')
    .send({ body: 'hush' })
    .expect(201);
  const [entry] = await auditLog.LogEntry.findAll({ order: [['id', 'DESC']], limit: 1 });
  expect(entry!.request).toBe('POST /users');
  expectHidden(await allText());
});

test('54 getters and toJSON cannot smuggle what is excluded or masked into the log', async () => {
  const Smuggler = sequelize.define('Smuggler', {
    hidden: DataTypes.TEXT,
    password: DataTypes.TEXT,
    shown: {
      type: DataTypes.TEXT,
      get(this: Model) {
        return `${String(this.getDataValue('shown'))} ${String(this.getDataValue('hidden'))}`;
      },
    },
    virtual: { type: DataTypes.VIRTUAL, get: () => 'virtual-hush' },
  });
  Smuggler.prototype.toJSON = () => ({ hidden: 'json-hush' }) as never;
  const smugglers = auditLog.registerAudited(Smuggler, {
    exclude: ['hidden'],
    snapshots: true,
    repr: '{shown}',
  });
  await Smuggler.sync();
  await auditLog.sync();
  const row = await Smuggler.create({ hidden: 'hush', password: 'hush', shown: 'ok' });
  const entry = await entryOf(auditLog, () => row.update({ shown: 'fine' }));
  expect([entry.objectRepr, entry.changes]).toEqual(['fine', { shown: ['ok', 'fine'] }]);
  const access = await entryOf(auditLog, () => auditLog.logAccess(row));
  const nested = await entryOf(auditLog, () =>
    auditLog.log(row, { action: 'note', additionalData: { row } }),
  );
  const versions = await smugglers.versions(row);
  expectHidden(JSON.stringify([access, nested, versions]));
  expect(access.objectRepr).toBe('fine');
});
