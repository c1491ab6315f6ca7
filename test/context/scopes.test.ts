import { setTimeout as delay } from 'node:timers/promises';
import { resolveWriteContext } from '../../lib/context/resolve';
import type * as scopes from '../../lib/context/scopes';
import {
  addAuditData,
  currentAuditContext,
  setActor,
  setReason,
  withAuditContext,
  withoutAudit,
  type AuditContextSnapshot,
} from '../../lib/context/scopes';
import { rememberSettings } from '../../lib/context/settings';
import type { AuditCallOption } from '../../lib/core/call-option';
import type { WriteContext } from '../../lib/core/types';
import { defineUser, offlineSequelize, testSettings } from './helpers';

const settings = testSettings();
const NOTHING: WriteContext = {
  actorId: null,
  actorLabel: null,
  actorType: null,
  labelFromRow: false,
  remoteAddr: null,
  remotePort: null,
  correlationId: null,
  request: null,
  reason: null,
  additionalData: null,
};

function write(call?: AuditCallOption): WriteContext | null {
  return resolveWriteContext(settings, call);
}

function viaJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function rejection(code: string, ...words: string[]): object {
  const message = words.map((word) => expect.stringContaining(word) as string);
  return expect.objectContaining({
    code,
    ...(message[0] !== undefined && { message: message[0] }),
  }) as object;
}

function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('without a context', () => {
  test('B1 B2 19 I1 a write is by nobody, from nowhere, without data', () => {
    expect(write()).toEqual(NOTHING);
    expect(currentAuditContext()).toBeNull();
  });

  test('setters have nothing to change', () => {
    for (const set of [() => setActor(1), () => setReason('x'), () => addAuditData({ a: 1 })]) {
      expect(thrownBy(set)).toEqual(rejection('ERR_AUDIT_NO_CONTEXT', 'withAuditContext'));
    }
    expect(thrownBy(() => withoutAudit(() => setReason('x')))).toEqual(rejection('ERR_AUDIT_NO_CONTEXT'));
  });

  test('the call alone says who and why', () => {
    expect(write({ actor: 7, reason: 'ticket 9', additionalData: { a: 1 } })).toEqual({
      ...NOTHING,
      actorId: '7',
      actorLabel: '7',
      reason: 'ticket 9',
      additionalData: '{"a":1}',
    });
  });
});

describe('a context', () => {
  test('B4 B9 B13 gives every part of an entry', () => {
    const values = {
      actor: { id: 7, label: 'Ann', type: 'staff' },
      reason: 'spring cleaning',
      remoteAddr: '::ffff:10.0.0.1',
      remotePort: 443,
      request: 'job nightly',
      correlationId: 'job-1',
      additionalData: { tenant: 3n },
    };
    expect(withAuditContext(values, () => write())).toEqual({
      actorId: '7',
      actorLabel: 'Ann',
      actorType: 'staff',
      labelFromRow: false,
      remoteAddr: '10.0.0.1',
      remotePort: 443,
      request: 'job nightly',
      correlationId: 'job-1',
      reason: 'spring cleaning',
      additionalData: '{"tenant":"3"}',
    });
    expect(write()).toEqual(NOTHING);
  });

  test('returns what the function returns, a promise included', async () => {
    expect(withAuditContext({}, () => 42)).toBe(42);
    const promise = withAuditContext({ reason: 'later' }, async () => {
      await delay(1);
      return write()?.reason;
    });
    expect(write()?.reason).toBeNull();
    await expect(promise).resolves.toBe('later');
  });

  test('43 texts are stored without NUL and lone surrogates, a long reason whole', () => {
    const reason = `a\0\ud800${'x'.repeat(100_000)}`;
    expect(withAuditContext({ reason }, () => write()?.reason)).toBe(`a\ufffd${'x'.repeat(100_000)}`);
    expect(write({ reason })?.reason).toHaveLength(100_002);
  });

  test('an address that is none is null, a port out of range is null', () => {
    const values = { remoteAddr: 'unknown', remotePort: 70_000 };
    expect(withAuditContext(values, () => write())).toMatchObject({ remoteAddr: null, remotePort: null });
  });

  test('additional data is copied when it is given', () => {
    const data = { list: [1] };
    withAuditContext({ additionalData: data }, () => {
      data.list.push(2);
      expect(write()?.additionalData).toBe('{"list":[1]}');
    });
  });

  test('more than 64 kB of additional data is replaced by its size', () => {
    const additionalData = { text: 'x'.repeat(70_000) };
    const text = withAuditContext({ additionalData }, () => write()?.additionalData);
    expect(JSON.parse(text as string)).toEqual({ truncated: true, bytes: 70_011 });
  });
});

describe('precedence: the call, the innermost context, outer contexts; null wins', () => {
  type Given = string | null | undefined;
  type Layer = 'call' | 'inner' | 'outer';
  const cases: [outer: Given, inner: Given, call: Given, wins: Layer | 'null'][] = [
    ['o', undefined, undefined, 'outer'],
    ['o', 'i', undefined, 'inner'],
    ['o', 'i', 'c', 'call'],
    ['o', undefined, 'c', 'call'],
    [undefined, 'i', undefined, 'inner'],
    [undefined, undefined, 'c', 'call'],
    ['o', null, undefined, 'null'],
    ['o', 'i', null, 'null'],
    ['o', null, 'c', 'call'],
    [null, 'i', undefined, 'inner'],
    [undefined, undefined, undefined, 'null'],
  ];
  const expected = { outer: 'o', inner: 'i', call: 'c', null: null };

  test.each(cases)('H079 outer %p, inner %p, call %p: %s', (outer, inner, call, wins) => {
    withAuditContext({ actor: outer, reason: outer }, () => {
      withAuditContext({ actor: inner, reason: inner }, () => {
        const context = write({ actor: call, ...(call !== undefined && { reason: call }) });
        expect(context).toMatchObject({ actorId: expected[wins], reason: expected[wins] });
      });
    });
  });

  test('additional data is merged from the outermost to the call, the inner winning', () => {
    withAuditContext({ additionalData: { a: 'outer', b: 'outer', c: 'outer' } }, () => {
      withAuditContext({ reason: 'no data of its own' }, () => {
        withAuditContext({ additionalData: { b: 'inner', c: 'inner' } }, () => {
          const merged = write({ additionalData: { c: 'call', d: { x: 1 } } })?.additionalData;
          expect(JSON.parse(merged as string)).toEqual({ a: 'outer', b: 'inner', c: 'call', d: { x: 1 } });
          expect(JSON.parse(write()?.additionalData as string)).toEqual({
            a: 'outer',
            b: 'inner',
            c: 'inner',
          });
        });
        expect(JSON.parse(write()?.additionalData as string)).toEqual({ a: 'outer', b: 'outer', c: 'outer' });
      });
    });
  });

  test('null additional data leaves out what is outside of it', () => {
    withAuditContext({ additionalData: { a: 1 } }, () => {
      expect(write({ additionalData: null })?.additionalData).toBeNull();
      withAuditContext({ additionalData: null }, () => {
        expect(write()?.additionalData).toBeNull();
        addAuditData({ b: 2 });
        expect(write()?.additionalData).toBe('{"b":2}');
      });
      expect(write({ additionalData: {} })?.additionalData).toBe('{"a":1}');
    });
  });

  test('an address of an inner context does not keep the port of another address', () => {
    withAuditContext({ remoteAddr: '10.0.0.1', remotePort: 1234 }, () => {
      expect(withAuditContext({ reason: 'x' }, () => write()?.remotePort)).toBe(1234);
      const inner = withAuditContext({ remoteAddr: '10.0.0.2' }, () => write());
      expect(inner).toMatchObject({ remoteAddr: '10.0.0.2', remotePort: null });
    });
  });
});

describe('nesting', () => {
  test('the outer context is back after the inner one, also when it throws', () => {
    withAuditContext({ actor: 'outer' }, () => {
      expect(withAuditContext({ actor: 'inner' }, () => write()?.actorId)).toBe('inner');
      expect(write()?.actorId).toBe('outer');
      const boom = thrownBy(() =>
        withAuditContext({ actor: 'inner' }, () => {
          throw new Error('boom');
        }),
      );
      expect(boom).toEqual(new Error('boom'));
      expect(write()?.actorId).toBe('outer');
    });
    expect(write()?.actorId).toBeNull();
  });

  test('the outer context is back after an inner one that rejects', async () => {
    await withAuditContext({ actor: 'outer' }, async () => {
      const inner = withAuditContext({ actor: 'inner' }, async () => {
        await delay(1);
        expect(write()?.actorId).toBe('inner');
        throw new Error('boom');
      });
      expect(write()?.actorId).toBe('outer');
      await expect(inner).rejects.toThrow('boom');
      expect(write()?.actorId).toBe('outer');
    });
    expect(write()?.actorId).toBeNull();
  });

  test('14 interleaved contexts keep their own actor', async () => {
    const seen = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        withAuditContext({ actor: index, correlationId: `job-${index}` }, async () => {
          await delay(index % 7);
          const context = write();
          return `${context?.actorId} ${context?.correlationId}`;
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => `${index} job-${index}`));
  });

  test('setters change the innermost context only, for all that follows in it', async () => {
    await withAuditContext({ actor: 'outer', additionalData: { a: 1 } }, async () => {
      await withAuditContext({}, async () => {
        setActor({ id: 9, label: 'Nine' });
        setReason('because');
        addAuditData({ b: 2 });
        await delay(1);
        addAuditData({ b: 3, c: 4 });
        expect(write()).toMatchObject({
          actorId: '9',
          actorLabel: 'Nine',
          reason: 'because',
          additionalData: '{"a":1,"b":3,"c":4}',
        });
        setActor(undefined);
        setReason(null);
        expect(write()).toMatchObject({ actorId: null, reason: null });
      });
      expect(write()).toMatchObject({ actorId: 'outer', reason: null, additionalData: '{"a":1}' });
      setActor('late');
      expect(withAuditContext({}, () => write()?.actorId)).toBe('late');
    });
  });
});

describe('switching off', () => {
  test('E2 a write inside withoutAudit leaves no entry, and entries are back after it', async () => {
    expect(withoutAudit(() => write())).toBeNull();
    const later = await withoutAudit(async () => {
      await delay(1);
      return write();
    });
    expect(later).toBeNull();
    expect(write()).toEqual(NOTHING);
  });

  test('37 withoutAudit ends when its function throws', () => {
    const boom = thrownBy(() =>
      withoutAudit(() => {
        throw new Error('boom');
      }),
    );
    expect(boom).toEqual(new Error('boom'));
    expect(write()).toEqual(NOTHING);
  });

  test('a context inside withoutAudit does not switch auditing on again', () => {
    withoutAudit(() => {
      expect(withAuditContext({ actor: 1, silenced: false }, () => write({ reason: 'x' }))).toBeNull();
      expect(withoutAudit(() => write())).toBeNull();
      expect(write()).toBeNull();
    });
  });

  test('a setter inside withoutAudit reaches the context around it', () => {
    withAuditContext({}, () => {
      withoutAudit(() => setActor('login'));
      expect(write()?.actorId).toBe('login');
    });
  });

  test('audit: false leaves no entry for that call only', () => {
    withAuditContext({ actor: 1 }, () => {
      expect(write(false)).toBeNull();
      expect(write()?.actorId).toBe('1');
    });
  });
});

describe('wrong arguments', () => {
  test.each<[string, unknown, string]>([
    ['an unknown key', { reasn: 'x' }, 'Did you mean "reason"?'],
    ['a reason that is no text', { reason: 7 }, 'reason'],
    ['a correlation id with blanks', { correlationId: 'a b' }, 'correlationId'],
    ['a correlation id that is too long', { correlationId: 'x'.repeat(129) }, 'correlationId'],
    ['an address that is no text', { remoteAddr: 42 }, 'remoteAddr'],
    ['a port that is no number', { remotePort: '80' }, 'remotePort'],
    ['a request that is no text', { request: {} }, 'request'],
    ['data that is a list', { additionalData: [1] }, 'additionalData'],
    ['data that is a text', { additionalData: 'x' }, 'additionalData'],
    ['data that is a date', { additionalData: new Date() }, 'additionalData'],
    ['an actor that was not awaited', { actor: Promise.resolve(1) }, 'await'],
    ['silenced that is no boolean', { silenced: 'yes' }, 'silenced'],
    ['a list', [], 'an object'],
    ['a text', 'x', 'an object'],
  ])('%s is refused before the function runs', (_name, values, word) => {
    const fn = jest.fn();
    const error = thrownBy(() => withAuditContext(values as never, fn));
    expect(error).toEqual(rejection('ERR_AUDIT_INVALID_ARGUMENT', word));
    expect(fn).not.toHaveBeenCalled();
  });

  test.each<[string, unknown, string]>([
    ['an unknown key', { raeson: 'x' }, 'Did you mean "reason"?'],
    ['a context key that no call has', { remoteAddr: '10.0.0.1' }, 'remoteAddr'],
    ['true', true, 'false or an object'],
    ['null', null, 'an object'],
    ['a text', 'why', 'false or an object'],
    ['a list', [], 'an object'],
    ['a reason that is no text', { reason: 7 }, 'reason'],
    ['data that is no object', { additionalData: 7 }, 'additionalData'],
    ['an actor that was not awaited', { actor: Promise.resolve(1) }, 'await'],
  ])('E6 21 option audit: %s is refused', (_name, call, word) => {
    expect(thrownBy(() => write(call as never))).toEqual(rejection('ERR_AUDIT_INVALID_ARGUMENT', word));
  });

  test('a missing function and wrong setter values are refused', () => {
    const wrong = [
      () => withAuditContext({}, undefined as never),
      () => withoutAudit('x' as never),
      () => withAuditContext({}, () => setReason(undefined as never)),
      () => withAuditContext({}, () => addAuditData(null as never)),
      () => withAuditContext({}, () => setActor(Promise.resolve(1) as never)),
    ];
    for (const call of wrong) expect(thrownBy(call)).toEqual(rejection('ERR_AUDIT_INVALID_ARGUMENT'));
  });
});

describe('currentAuditContext', () => {
  const FULL = {
    actor: { id: '7', label: 'Ann', type: 'staff' },
    reason: 'why',
    remoteAddr: '10.0.0.1',
    remotePort: 4711,
    request: 'PATCH /orders/42',
    correlationId: 'req-1',
    additionalData: { a: { b: [1, null, 'x'] } },
  };

  test('D7 gives what an entry would store', () => {
    expect(withAuditContext(FULL, () => currentAuditContext())).toStrictEqual(FULL);
  });

  test('a trip through a queue keeps everything', () => {
    const stored = withAuditContext(FULL, () => write());
    const carried = viaJson(withAuditContext(FULL, () => currentAuditContext()));
    expect(withAuditContext(carried, () => write())).toEqual(stored);
    expect(withAuditContext(carried, () => currentAuditContext())).toStrictEqual(FULL);
  });

  test('restored, it is exact: its nulls win over a context of the worker', () => {
    const carried = viaJson(withAuditContext({ actor: null }, () => currentAuditContext()));
    withAuditContext({ actor: 'worker', reason: 'queue' }, () => {
      expect(withAuditContext(carried, () => write())).toMatchObject({ actorId: null, reason: null });
    });
  });

  test('an actor nobody ever named stays open', () => {
    const carried = viaJson(withAuditContext({ reason: 'x' }, () => currentAuditContext()));
    expect(carried).not.toHaveProperty('actor');
    expect(
      withAuditContext({ actor: 'worker' }, () => withAuditContext(carried, () => write()?.actorId)),
    ).toBe('worker');
  });

  test('being switched off travels with it', () => {
    const carried = viaJson(withAuditContext({ actor: 1 }, () => withoutAudit(() => currentAuditContext())));
    expect(carried).toMatchObject({ silenced: true, actor: { id: '1' } });
    expect(withAuditContext(carried, () => write())).toBeNull();
    expect(withoutAudit(() => currentAuditContext())).toMatchObject({ silenced: true, reason: null });
  });

  test('null and nothing, as a job without a context has them, open an empty one', () => {
    for (const none of [null, undefined]) {
      withAuditContext(none, () => {
        expect(write()).toEqual(NOTHING);
        setActor(1);
        expect(write()?.actorId).toBe('1');
      });
    }
  });

  test('changing the copy does not change the context', () => {
    withAuditContext({ additionalData: { list: [1] } }, () => {
      const copy = currentAuditContext() as AuditContextSnapshot;
      (copy.additionalData as { list: number[] }).list.push(2);
      expect(write()?.additionalData).toBe('{"list":[1]}');
    });
  });

  test('an id whose label only the row knows is read from the row in the worker too', () => {
    const User = defineUser(offlineSequelize());
    const worker = testSettings({ actor: { model: User } });
    const carried = viaJson(withAuditContext({ actor: 7 }, () => currentAuditContext()));
    expect(carried?.actor).toEqual({ id: '7', label: null, type: null });
    expect(withAuditContext(carried, () => resolveWriteContext(worker, undefined))).toMatchObject({
      actorId: '7',
      actorLabel: '7',
      actorType: 'User',
      labelFromRow: true,
    });
  });

  test('49 an instance is labelled by the masks of its own audit log, and not at all where there is none', () => {
    const [masking, strange] = [offlineSequelize(), offlineSequelize()];
    rememberSettings(masking, testSettings({}, ['email']));
    const row = { id: 7, email: 'ann@example.com', username: 'ann' };
    const labelled = withAuditContext({ actor: defineUser(masking).build(row) }, () => currentAuditContext());
    expect(labelled?.actor).toEqual({ id: '7', label: 'ann', type: 'User' });
    const bare = withAuditContext({ actor: defineUser(strange).build(row) }, () => currentAuditContext());
    expect(bare?.actor).toEqual({ id: '7', label: null, type: 'User' });
  });
});

test('two copies of the package share one context', () => {
  let copy: typeof scopes | undefined;
  jest.isolateModules(() => {
    copy = require('../../lib/context/scopes') as typeof scopes;
  });
  expect(copy?.withAuditContext).not.toBe(withAuditContext);
  expect(copy?.withAuditContext({ actor: 'other copy' }, () => write()?.actorId)).toBe('other copy');
});
