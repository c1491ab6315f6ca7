import { EventEmitter } from 'node:events';
import { ask, isInteractive, requireConsent } from '../../lib/cli/confirm';
import { Interrupted, UsageError } from '../../lib/cli/exit-codes';
import type { GlobalFlags } from '../../lib/cli/host';
import { Interrupt } from '../../lib/cli/interrupt';
import { Output } from '../../lib/cli/output';
import { Progress } from '../../lib/cli/progress';
import { formatTable } from '../../lib/cli/table';
import { counted, size, time } from '../../lib/cli/texts';
import { until } from '../support/until';
import { FakeHost, Screen, type HostOptions } from './support/host';

const FLAGS: GlobalFlags = { json: false, quiet: false, verbose: false, color: true, yes: false };

function outputOf(
  flags: Partial<GlobalFlags> = {},
  options: HostOptions = {},
): { host: FakeHost; output: Output } {
  const host = new FakeHost([], options);
  return { host, output: new Output(host, { ...FLAGS, ...flags }) };
}

describe('a question', () => {
  const never = new AbortController().signal;
  const answerTo = async (input: string): Promise<boolean> =>
    ask(new FakeHost([], { isTerminal: true, input }), 'Go on?', never);

  test.each(['y\n', 'Y\n', 'yes\r\n', ' YES \n', 'y'])('%j means yes', async (input) => {
    expect(await answerTo(input)).toBe(true);
  });

  test.each(['', '\n', 'n\n', 'no\n', 'yesterday\n', 'n\ny\n'])('%j means no', async (input) => {
    expect(await answerTo(input)).toBe(false);
  });

  test('is asked on stderr, so that stdout holds data only', async () => {
    const host = new FakeHost([], { isTerminal: true, input: 'y\n' });
    await ask(host, 'Go on?', never);
    expect([host.stdout.text, host.stderr.text]).toEqual(['', 'Go on? [y/N] ']);
  });

  test('Ctrl-C instead of an answer ends the program', async () => {
    const host = new FakeHost([], { isTerminal: true, input: null });
    const controller = new AbortController();
    const asked = ask(host, 'Go on?', controller.signal);
    controller.abort();
    await expect(asked).rejects.toThrow(Interrupted);
  });

  test('needs a terminal on both sides', () => {
    const [terminal, pipe] = [new Screen(true), new Screen()];
    expect(isInteractive({ stdin: terminal, stderr: terminal })).toBe(true);
    expect(isInteractive({ stdin: pipe, stderr: terminal })).toBe(false);
    expect(isInteractive({ stdin: terminal, stderr: pipe })).toBe(false);
  });

  test('that nobody can answer is refused, unless --yes or --dry-run makes it needless', () => {
    const pipe = new FakeHost([]);
    expect(() => requireConsent(pipe, 'prune', FLAGS, false)).toThrow(UsageError);
    expect(() => requireConsent(pipe, 'prune', { ...FLAGS, yes: true }, false)).not.toThrow();
    expect(() => requireConsent(pipe, 'prune', FLAGS, true)).not.toThrow();
    expect(() => requireConsent(new FakeHost([], { isTerminal: true }), 'prune', FLAGS, false)).not.toThrow();
  });
});

describe('Ctrl-C', () => {
  function interrupted(): {
    signals: EventEmitter;
    told: string[];
    interrupt: Interrupt;
    clock: { now: number };
  } {
    const [signals, told, clock] = [new EventEmitter(), [] as string[], { now: 0 }];
    const onFirst = (): void => void told.push('first');
    const onSecond = (): void => void told.push('second');
    return {
      signals,
      told,
      clock,
      interrupt: new Interrupt(signals, { onFirst, onSecond, now: () => clock.now }),
    };
  }

  test('asks the work to end once, and ends it the second time', () => {
    const { signals, told, interrupt, clock } = interrupted();
    signals.emit('SIGINT');
    expect([told, interrupt.signal.aborted]).toEqual([['first'], true]);
    clock.now = 1000;
    signals.emit('SIGTERM');
    expect(told).toEqual(['first', 'second']);
  });

  test('that npm hands on besides the terminal counts once', () => {
    const { signals, told, clock } = interrupted();
    signals.emit('SIGINT');
    clock.now = 50;
    signals.emit('SIGINT');
    expect(told).toEqual(['first']);
  });
});

describe('progress', () => {
  function progressOn(isTTY: boolean, flags: { isQuiet?: boolean; isVerbose?: boolean } = {}) {
    const [screen, clock] = [new Screen(isTTY), { now: 0 }];
    const progress = new Progress(screen, {
      isQuiet: false,
      isVerbose: false,
      now: () => clock.now,
      ...flags,
    });
    return { screen, clock, progress };
  }

  test('is one line of a terminal, drawn at most ten times a second', () => {
    const { screen, clock, progress } = progressOn(true);
    progress.update('1 of 4', 1, 4);
    progress.update('2 of 4', 2, 4);
    clock.now = 100;
    progress.update('4 of 4', 4, 4);
    progress.clear();
    progress.clear();
    const clear = '\r\u001b[K';
    const bars = ['[######..................]  25% 1 of 4', '[########################] 100% 4 of 4'];
    expect(screen.text).toBe(`${bars.map((bar) => clear + bar).join('')}${clear}`);
  });

  test('is never longer than the line, which could not be drawn over', () => {
    const { screen, progress } = progressOn(true);
    progress.update('x'.repeat(200));
    expect(screen.text.match(/x+/)?.[0]).toHaveLength(79);
  });

  test('is not there without a terminal', () => {
    const { screen, progress } = progressOn(false);
    progress.update('1 of 4', 1, 4);
    progress.clear();
    expect(screen.text).toBe('');
  });

  test('is a line now and then without a terminal where --verbose asks for it', () => {
    const { screen, clock, progress } = progressOn(false, { isVerbose: true });
    for (clock.now = 0; clock.now <= 10_000; clock.now += 1000) progress.update(`${clock.now} ms`);
    expect(screen.text).toBe('0 ms\n5000 ms\n10000 ms\n');
  });

  test('is not there with --quiet', () => {
    const { screen, progress } = progressOn(true, { isQuiet: true });
    progress.update('1 of 4', 1, 4);
    expect(screen.text).toBe('');
  });
});

test('a terminal that does not know its width gets whole lines', () => {
  const screen = Object.assign(new Screen(true), { columns: 0 });
  new Progress(screen, { isQuiet: false, isVerbose: false }).update('7 entries');
  expect(screen.text).toBe('\r\u001b[K7 entries');
});

describe('output', () => {
  test('data goes to stdout, all else to stderr', () => {
    const { host, output } = outputOf({ verbose: true });
    output.data('data');
    output.answer({ a: 1 }, 'An answer.');
    output.note('a note');
    output.detail('a detail');
    output.error('an error');
    expect(host.stdout.text).toBe('data\nAn answer.\n');
    expect(host.stderr.text).toBe('a note\na detail\nan error\n');
  });

  test('--quiet leaves data and errors', () => {
    const { host, output } = outputOf({ quiet: true });
    output.data('data');
    output.answer({ a: 1 }, 'An answer.');
    output.note('a note');
    output.error('an error');
    expect([host.stdout.text, host.stderr.text]).toEqual(['data\n', 'an error\n']);
  });

  test('--json makes JSON of an answer', () => {
    const { host, output } = outputOf({ json: true, quiet: true });
    output.answer({ a: 1 }, 'An answer.');
    expect(JSON.parse(host.stdout.text)).toEqual({ a: 1 });
  });

  test('has colors on a terminal only, and not with --no-color or NO_COLOR', () => {
    const red = (flags: Partial<GlobalFlags>, options: HostOptions): boolean => {
      const { host, output } = outputOf(flags, options);
      output.error('an error');
      return host.stderr.text !== 'an error\n';
    };
    const terminal = { isTerminal: true };
    expect(red({}, terminal)).toBe(true);
    expect(red({}, {})).toBe(false);
    expect(red({}, { env: { CI: 'true', FORCE_COLOR: '1' } })).toBe(false);
    expect(red({ color: false }, terminal)).toBe(false);
    expect(red({}, { ...terminal, env: { NO_COLOR: '1' } })).toBe(false);
    expect(red({}, { ...terminal, env: { TERM: 'dumb' } })).toBe(false);
  });

  test('a message takes the line of progress away first', () => {
    const { host, output } = outputOf({}, { isTerminal: true });
    output.progress.update('half way');
    output.note('a note');
    expect(host.stderr.text).toBe('\r\u001b[Khalf way\r\u001b[Ka note\n');
  });

  test('a reader that closes the pipe is no error, and nothing more is written', async () => {
    const { host, output } = outputOf();
    host.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await until(() => output.unread.aborted);
    output.data('data');
    expect([host.stdout.text, host.stderr.text]).toEqual(['', '']);
  });

  test('what a message holds does not steer the terminal', () => {
    const { host, output } = outputOf();
    output.note('first\nsecond \u001b[2J\u009b1m\u202e');
    expect(host.stderr.text).toBe('first\nsecond \\u001b[2J\\u009b1m\\u202e\n');
  });
});

test('a table is aligned, and its cells do not steer the terminal', () => {
  const columns = [{ head: 'MODEL' }, { head: 'ENTRIES', align: 'right' as const }, { head: 'LAST' }];
  const rows = [
    ['Order', '1,234', 'a\u001b[31mb\nc'],
    ['Größe 👍', 5, null],
  ];
  expect(formatTable(columns, rows)).toBe(
    ['MODEL    ENTRIES  LAST', 'Order      1,234  a\\u001b[31mb\\nc', 'Größe 👍        5'].join('\n'),
  );
});

test('numbers, sizes and times are written for people', () => {
  expect([counted(1, 'row'), counted(12_345, 'row')]).toEqual(['1 row', '12,345 rows']);
  expect([0, 999, 1000, 12_345, 250e6, 3e13].map(size)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '12.3 kB',
    '250 MB',
    '30.0 TB',
  ]);
  expect(time(new Date('2026-11-21T20:17:26.999Z'))).toBe('2026-11-21 20:17:26');
});
