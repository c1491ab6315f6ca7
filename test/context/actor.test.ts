import { DataTypes, type Model } from 'sequelize';
import { labelAttribute, readActor } from '../../lib/context/actor';
import type { ActorInput } from '../../lib/core/types';
import { defineUser, offlineSequelize, testSettings } from './helpers';

const sequelize = offlineSequelize();
const User = defineUser(sequelize);
const Uuid = sequelize.define('Uuid', {
  key: { type: DataTypes.UUID, primaryKey: true },
  name: DataTypes.TEXT,
});
const Big = sequelize.define('Big', {
  id: { type: DataTypes.BIGINT, primaryKey: true },
  name: DataTypes.TEXT,
});
const Text = sequelize.define('Text', {
  id: { type: DataTypes.STRING, primaryKey: true },
  name: DataTypes.TEXT,
});
const Pair = sequelize.define('Pair', {
  shop: { type: DataTypes.TEXT, primaryKey: true },
  no: { type: DataTypes.INTEGER, primaryKey: true },
  name: DataTypes.TEXT,
});

const ann = User.build({ id: 7, email: 'ann@example.com', username: 'ann', password: 'x' });

function bracketed(user: Model): string {
  return `<${String(user.get('username'))}>`;
}

function unlabelled(): string {
  throw new Error('no label today');
}

describe('without actor.model', () => {
  const settings = testSettings();

  test.each<[string, ActorInput]>([
    ['null', null],
    ['undefined', undefined],
    ['an empty text', ''],
    ['blanks', '  '],
    ['NUL only', '\0'],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an object without id', {}],
    ['an object with a null id', { id: null, label: 'x' }],
    ['an object with an object as id', { id: { toString: () => '7' } }],
    ['an array', [7] as never],
    ['a date', new Date()],
    ['true', true as never],
    ['a symbol', Symbol('7') as never],
    ['a function', () => 7],
    ['an unsaved instance', User.build({ email: 'new@example.com' })],
  ])('C11 %s is nobody', (_name, input) => {
    expect(readActor(settings, input)).toBeNull();
    expect(settings.reports).toEqual([]);
  });

  test.each<[ActorInput, string]>([
    [7, '7'],
    [0, '0'],
    ['7', '7'],
    [9_007_199_254_740_993n, '9007199254740993'],
  ])('the id %p is the text %s', (input, id) => {
    expect(readActor(settings, input)).toEqual({ id, label: null, type: null, labelFromRow: false });
  });

  test('label and type are those given', () => {
    const given = { id: 'k-1', label: 'Nightly job', type: 'service', email: 'unused@example.com' };
    expect(readActor(settings, given)).toEqual({
      id: 'k-1',
      label: 'Nightly job',
      type: 'service',
      labelFromRow: false,
    });
  });

  test.each([
    [{ id: 1, name: 'Ann', username: 'ann', email: 'ann@example.com' }, 'ann@example.com'],
    [{ id: 1, name: 'Ann', username: 'ann', email: null }, 'ann'],
    [{ id: 1, name: 'Ann', email: '' }, 'Ann'],
    [{ id: 1, name: { first: 'Ann' } }, null],
  ])('the label of %p is %p', (input, label) => {
    expect(readActor(settings, input)?.label).toBe(label);
  });

  test('an instance has its key, its label and the name of its model', () => {
    expect(readActor(settings, ann)).toEqual({
      id: '7',
      label: 'ann@example.com',
      type: 'User',
      labelFromRow: false,
    });
  });

  test('an instance of a scope has the name of the model', () => {
    const scoped = User.unscoped().build({ id: 8 });
    expect(readActor(settings, scoped)).toMatchObject({ id: '8', type: 'User' });
  });

  test('a composite key is a JSON array of texts in key order', () => {
    const pair = Pair.build({ no: 2, shop: 'a/b', name: 'Pair' });
    expect(readActor(settings, pair)).toMatchObject({ id: '["a/b","2"]', label: 'Pair' });
  });
});

describe('with actor.model', () => {
  const settings = testSettings({ actor: { model: User } });

  test('an id is one of the model and its label is read from the row', () => {
    const row = { id: '7', label: null, type: 'User', labelFromRow: true };
    expect(readActor(settings, 7)).toEqual(row);
    expect(readActor(settings, '7')).toEqual(row);
    expect(readActor(settings, { id: 7 })).toEqual(row);
    expect(readActor(settings, { id: 7, label: null, type: null })).toEqual(row);
    expect(readActor(settings, User.build({ id: 7 }))).toEqual(row);
  });

  test('an actor of another type is not looked for among the rows', () => {
    expect(readActor(settings, { id: 7, type: 'service' })).toMatchObject({
      type: 'service',
      labelFromRow: false,
    });
    expect(readActor(settings, Big.build({ id: 7 }))).toMatchObject({ type: 'Big', labelFromRow: false });
  });

  test('a model of the same name in another database is another type of actor', () => {
    const other = defineUser(offlineSequelize()).build({ id: 7 });
    expect(readActor(settings, other)).toMatchObject({ id: '7', labelFromRow: false });
  });

  test('what the session holds of a user needs no row', () => {
    const actor = readActor(settings, { id: 7, username: 'ann' });
    expect(actor).toEqual({ id: '7', label: 'ann', type: 'User', labelFromRow: false });
  });

  test.each([
    [User, '2147483647', true],
    [User, '2147483648', false],
    [User, '-2147483648', true],
    [User, '-2147483649', false],
    [User, '007', true],
    [User, '7.5', false],
    [User, '1e3', false],
    [User, ' 7', false],
    [User, "7' or 1=1", false],
    [User, '٧', false],
    [Big, '9223372036854775807', true],
    [Big, '9223372036854775808', false],
    [Big, '99999999999999999999', false],
    [Uuid, '3F2504E0-4F89-11D3-9A0C-0305E82C3301', true],
    [Uuid, '3f2504e04f8911d39a0c0305e82c3301', false],
    [Uuid, 'g', false],
    [Text, 'anything; at all', true],
    [Pair, '["a","2"]', false],
  ])('the key of %p can be compared with %p: %p', (model, id, fits) => {
    const actor = readActor(testSettings({ actor: { model } }), id);
    expect(actor).toEqual({ id, label: null, type: model.name, labelFromRow: fits });
  });

  test('a model without any label attribute is not asked for one', () => {
    const Bare = sequelize.define('Bare', { id: { type: DataTypes.INTEGER, primaryKey: true } });
    const bare = testSettings({ actor: { model: Bare } });
    expect(labelAttribute(bare)).toBeNull();
    expect(readActor(bare, 7)).toMatchObject({ type: 'Bare', labelFromRow: false });
  });
});

describe('option actor.label', () => {
  test('an attribute is read from the instance, the plain user or the row', () => {
    const settings = testSettings({ actor: { model: User, label: 'username' } });
    expect(readActor(settings, ann)?.label).toBe('ann');
    expect(readActor(settings, { id: 7, username: 'ann', email: 'a@example.com' })?.label).toBe('ann');
    expect(readActor(settings, 7)).toMatchObject({ label: null, labelFromRow: true });
    expect(labelAttribute(settings)).toBe('username');
  });

  test('an attribute that is not at hand is not replaced by an e-mail address', () => {
    const settings = testSettings({ actor: { label: 'nickname' } });
    expect(readActor(settings, { id: 7, email: 'a@example.com' })?.label).toBeNull();
  });

  test('an instance of a model without that attribute is labelled by the default search', () => {
    const settings = testSettings({ actor: { model: User, label: 'username' } });
    expect(readActor(settings, Big.build({ id: 1, name: 'Big one' }))?.label).toBe('Big one');
  });

  test('a VIRTUAL attribute is read from an instance, and for an id a column stands in', () => {
    const settings = testSettings({ actor: { model: User, label: 'shout' } });
    expect(readActor(settings, ann)?.label).toBe('HEY');
    expect(labelAttribute(settings)).toBe('email');
  });

  test('a function of the user gives the label; for an id alone a column stands in', () => {
    const settings = testSettings({ actor: { model: User, label: bracketed } });
    expect(readActor(settings, ann)?.label).toBe('<ann>');
    expect(readActor(settings, 7)).toMatchObject({ label: null, labelFromRow: true });
    expect(labelAttribute(settings)).toBe('email');
  });

  test('a function that gives nothing leaves the id', () => {
    const settings = testSettings({ actor: { label: () => '' } });
    expect(readActor(settings, ann)?.label).toBe('7');
    expect(settings.reports).toEqual([]);
  });

  test('12 a function that throws is reported and leaves the id', () => {
    const settings = testSettings({ actor: { label: unlabelled } });
    expect(readActor(settings, ann)).toMatchObject({ id: '7', label: '7', type: 'User' });
    expect(settings.reports).toEqual([{ what: 'actor.label', message: 'no label today' }]);
  });

  test('an asynchronous function is reported, leaves the id, and its rejection ends nothing', async () => {
    const rejections: unknown[] = [];
    const listener = (error: unknown): void => void rejections.push(error);
    process.on('unhandledRejection', listener);
    const settings = testSettings({
      actor: { label: (async () => Promise.reject(new Error('late'))) as never },
    });
    expect(readActor(settings, ann)?.label).toBe('7');
    await new Promise(setImmediate);
    process.off('unhandledRejection', listener);
    expect(settings.reports).toEqual([
      { what: 'actor.label', message: 'actor.label must be synchronous, but returned a promise' },
    ]);
    expect(rejections).toEqual([]);
  });
});

describe('masked labels', () => {
  test('49 the search skips masked attributes, of instances, plain users and rows', () => {
    const settings = testSettings({ actor: { model: User } }, ['email']);
    expect(readActor(settings, ann)?.label).toBe('ann');
    expect(readActor(settings, { id: 7, email: 'a@example.com', username: 'ann' })?.label).toBe('ann');
    expect(readActor(settings, { id: 7, email: 'a@example.com', type: 'admin' })?.label).toBeNull();
    expect(labelAttribute(settings)).toBe('username');
  });

  test('49 a masked attribute chosen by the option shows the mask, also for an id alone', () => {
    const settings = testSettings({ actor: { model: User, label: 'email' } }, ['email']);
    const masked = { id: '7', label: '********', type: 'User', labelFromRow: false };
    expect(readActor(settings, ann)).toEqual(masked);
    expect(readActor(settings, { id: 7, email: 'a@example.com' })).toEqual(masked);
    expect(readActor(settings, 7)).toEqual(masked);
    expect(labelAttribute(settings)).toBeNull();
  });

  test('with every label attribute masked the id is the label', () => {
    const settings = testSettings({ actor: { model: User } }, ['email', 'username']);
    expect(readActor(settings, ann)).toMatchObject({ label: null, labelFromRow: false });
  });
});

describe('hostile users', () => {
  test('43 texts are stored without NUL and lone surrogates, at most 255 characters', () => {
    const actor = readActor(testSettings(), {
      id: `a\0b\ud800${'x'.repeat(300)}`,
      label: `${'y'.repeat(254)}😀`,
      type: '\udc00t',
    });
    expect(actor?.id).toBe(`ab\ufffd${'x'.repeat(251)}`);
    expect(actor?.label).toBe('y'.repeat(254));
    expect(actor?.type).toBe('\ufffdt');
  });

  test('12 a getter of the id that throws is reported, the actor is nobody', () => {
    const settings = testSettings();
    const user = {
      get id(): never {
        throw new Error('detached');
      },
    };
    expect(readActor(settings, user)).toBeNull();
    expect(settings.reports).toEqual([{ what: 'actor', message: 'detached' }]);
  });

  test('12 a getter of the label that throws is reported and leaves the id', () => {
    const settings = testSettings();
    const user = {
      id: 7,
      get email(): never {
        throw new Error('undecipherable');
      },
    };
    expect(readActor(settings, user)?.label).toBe('7');
    expect(settings.reports).toEqual([{ what: 'actor.label', message: 'undecipherable' }]);
  });
});
