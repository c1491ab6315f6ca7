import type { DisplayChange } from '../../lib/schema/log-entry';
import { testDatabase } from '../support/database';
import { auditFixture, defineModels, insertEntry, Order, OrderItem } from './fixture';

const database = testDatabase();
defineModels(database);
const audit = auditFixture(database);
const { LogEntry } = audit;
audit.register(Order, { labels: { status: 'Status', cardNumber: 'Card' } });
audit.register(OrderItem);

beforeAll(async () => {
  await database.open();
  await audit.sync();
});
afterAll(() => database.close());

async function entry(row: Record<string, unknown>) {
  return (await LogEntry.findByPk(await insertEntry(database, row)))!;
}

async function shown(change: unknown, attribute = 'data'): Promise<DisplayChange> {
  const [display] = (await entry({ changes: { [attribute]: change } })).displayChanges();
  return display!;
}

describe('changedAttributes', () => {
  test('A13 are in alphabetical order', async () => {
    expect(
      (await entry({ changes: { total: [1, 2], cardNumber: [null, 'x'], Abc: [1, 2] } })).changedAttributes,
    ).toEqual(['Abc', 'cardNumber', 'total']);
  });

  test('are none without changes', async () => {
    expect((await entry({ action: 'access' })).changedAttributes).toEqual([]);
    expect(LogEntry.build({ action: 'x' } as never).changedAttributes).toEqual([]);
  });
});

describe('displayChanges', () => {
  test.each([
    ['A7 booleans', [false, true], 'false', 'true'],
    ['A14 null, which is told from no value', [null, ''], 'null', ''],
    ['numbers', [0, 1.5], '0', '1.5'],
    ['texts bare', ['99.99', 'a "b"'], '99.99', 'a "b"'],
    ['R2 objects as JSON', [{}, { quantity: '1' }], '{}', '{"quantity":"1"}'],
    ['M3 lists joined', [['Red', 'Yellow', 'Green'], 'Red'], 'Red, Yellow, Green', 'Red'],
    ['M7 a list of one', [['Red'], null], 'Red', 'null'],
    ['M8 an empty list', [['Red'], []], 'Red', ''],
    [
      'lists of objects',
      [
        [{ a: 1 }, null],
        [[1, 2], 3],
      ],
      '{"a":1}, null',
      '1, 2, 3',
    ],
    ['digests of BLOBs', [null, { bytes: 3, sha256: 'ab12' }], 'null', '3 bytes, sha256 ab12'],
  ])('%s', async (_, change, old, now) => {
    expect(await shown(change)).toEqual({ attribute: 'data', label: 'data', old, new: now });
  });

  test('M2 a value no longer in the ENUM is shown as it is', async () => {
    expect(await shown(['gone', 'pending'], 'status')).toMatchObject({ old: 'gone', new: 'pending' });
  });

  test('G1 G4 G5 labels stand beside the attribute names, the name is the default', async () => {
    const { changes, displayChanges } = await entry({
      changes: { status: ['a', 'b'], notes: ['c', 'd'] },
    }).then((each) => ({
      changes: each.changes,
      displayChanges: each.displayChanges(),
    }));
    expect(Object.keys(changes!).toSorted()).toEqual(['notes', 'status']);
    expect(displayChanges.map(({ attribute, label }) => [attribute, label])).toEqual([
      ['notes', 'notes'],
      ['status', 'Status'],
    ]);
  });

  test('N1 N2 a text longer than 140 is cut there', async () => {
    expect(await shown([null, 'x'.repeat(255)])).toMatchObject({ new: `${'x'.repeat(140)}...` });
    expect(await shown(['y'.repeat(139), 'z'.repeat(140)])).toMatchObject({
      old: 'y'.repeat(139),
      new: 'z'.repeat(140),
    });
    expect(await shown([null, 'z'.repeat(141)])).toMatchObject({ new: `${'z'.repeat(140)}...` });
  });

  test('a cut never halves a character', async () => {
    expect(await shown([null, `${'x'.repeat(139)}😀😀`])).toMatchObject({ new: `${'x'.repeat(139)}...` });
  });

  test('links are told as added and removed', async () => {
    const links = {
      type: 'm2m',
      added: [
        { pk: '7', repr: 'Tag 7' },
        { pk: '8', repr: 'Tag 8' },
      ],
      removed: [{ pk: '3', repr: 'Tag 3' }],
    };
    expect(await shown(links, 'tags')).toEqual({
      attribute: 'tags',
      label: 'tags',
      old: '',
      new: 'added Tag 7, Tag 8; removed Tag 3',
    });
  });

  test('V8 an access has none', async () => {
    expect((await entry({ action: 'access' })).displayChanges()).toEqual([]);
  });

  test('K6 K7 an entry of a model that is not registered is displayed too', async () => {
    const old = await entry({ model: 'Gone', changes: { a: [1, 2] }, object_repr: 'Gone 1' });
    expect(old.displayChanges()).toEqual([{ attribute: 'a', label: 'a', old: '1', new: '2' }]);
    expect(old.describe()).toBe('system updated a of Gone 1: 1 → 2');
  });
});

describe('one line', () => {
  const alice = { actor_label: 'alice', actor_id: '7', object_repr: 'Order 1' };

  test.each([
    [
      'an update',
      { changes: { notes: ['pending', 'shipped'] } },
      'alice updated notes of Order 1: pending → shipped',
    ],
    [
      'labels',
      { changes: { status: ['pending', 'shipped'] } },
      'alice updated Status of Order 1: pending → shipped',
    ],
    [
      'A13 several attributes',
      { changes: { total: ['99.99', '109.99'], notes: ['a', null] } },
      'alice updated notes, total of Order 1: a → null; 99.99 → 109.99',
    ],
    ['a create', { action: 'create', changes: { id: [null, 1] } }, 'alice created Order 1'],
    ['a delete', { action: 'delete', changes: { id: [1, null] } }, 'alice deleted Order 1'],
    ['an access', { action: 'access' }, 'alice viewed Order 1'],
    ['a word of one’s own', { action: 'approve' }, 'alice logged approve of Order 1'],
    [
      'a word of one’s own with changes',
      { action: 'approve', changes: { level: [1, 2] } },
      'alice logged approve of Order 1, level: 1 → 2',
    ],
    ['a null actor', { actor_label: null, actor_id: null, action: 'create' }, 'system created Order 1'],
    ['an actor without label', { actor_label: null, action: 'create' }, '7 created Order 1'],
    ['an object without text', { object_repr: null, action: 'create' }, 'alice created Order 1'],
    ['a model as a whole', { object_repr: null, object_pk: null, action: 'prune' }, 'alice pruned Order'],
    [
      'a link',
      { changes: { tags: { type: 'm2m', added: [{ pk: '7', repr: 'Tag 7' }], removed: [] } } },
      'alice updated tags of Order 1: added Tag 7',
    ],
    ['an update without changes', { changes: {} }, 'alice updated Order 1'],
    [
      'a soft delete',
      { model: 'OrderItem', action: 'delete', changes: { deletedAt: [null, '2026-01-01'] } },
      'alice deleted Order 1',
    ],
    [
      'a restore',
      { model: 'OrderItem', changes: { deletedAt: ['2026-01-01', null] } },
      'alice restored Order 1',
    ],
  ])('%s', async (_, row, text) => {
    expect((await entry({ ...alice, ...row })).describe()).toBe(text);
  });

  test('nothing in it is interpreted', async () => {
    const row = { ...alice, actor_label: '<b>$1</b>', changes: { notes: ['%s', '${x}'] } };
    expect((await entry(row)).describe()).toBe('<b>$1</b> updated notes of Order 1: %s → ${x}');
  });
});
