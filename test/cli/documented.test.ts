import type { Command } from 'commander';
import { blocksOf, readPaper } from '../docs/support/markdown';
import { createProgram } from '../../lib/cli/program';
import { Runner } from '../../lib/cli/runner';
import { FakeHost, type Said } from './support/host';
import { Shop } from './support/shop';

const PAPER = readPaper('docs/cli.md');
const host = new FakeHost([]);
const program = createProgram(host, new Runner(host));

/** Commands that do something, by what is typed to call them. */
function commandsOf(command: Command, path: readonly string[] = []): [name: string, command: Command][] {
  const inner = command.commands.filter((each) => each.name() !== 'help');
  if (inner.length === 0) return [[path.join(' '), command]];
  return inner.flatMap((each) => commandsOf(each, [...path, each.name()]));
}

const COMMANDS = commandsOf(program);
const flagsOf = (command: Command): string[] =>
  command.options.filter((option) => !option.hidden).map((option) => option.long ?? option.short ?? '');
const GLOBAL = [...flagsOf(program), '--help'];

/** The text between a heading and the next of the same level or a higher one. */
function sectionOf(heading: string): string {
  const title = heading.replaceAll('`', '');
  const lines = PAPER.replaceAll('`', '').split('\n');
  const start = lines.findIndex((line) => new RegExp(`^#{2,3} ${title}$`).test(line));
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const length = lines
    .slice(start + 1)
    .findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 99) <= level);
  return start < 0 ? '' : lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

const flagsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag)),
];
/** The flags that the table of a section lists. */
const listedIn = (section: string): string[] =>
  [...section.matchAll(/^\| (--[a-z][a-z-]*)/gm)].map(([, flag = '']) => flag);
const KNOWN = [...GLOBAL, ...COMMANDS.flatMap(([, command]) => flagsOf(command))];

test('every flag of the program is documented', () => {
  const section = sectionOf('Flags of every command');
  expect(flagsOf(program).filter((flag) => flag !== '--version' && !section.includes(flag))).toEqual([]);
});

test.each(COMMANDS)('%s is documented with its flags and no others, and has an example', (name, command) => {
  const section = sectionOf(name);
  expect(section).not.toBe('');
  expect(listedIn(section).toSorted()).toEqual(flagsOf(command).toSorted());
  expect(flagsIn(section).filter((flag) => !KNOWN.includes(flag))).toEqual([]);
  expect(PAPER).toContain(`sequelize-auditlog ${name}`);
});

test('no command is documented that is not there', () => {
  const called = [...PAPER.matchAll(/^(?:\$ |npx )sequelize-auditlog (\S+(?: create)?)/gm)].map(
    ([, name]) => name,
  );
  expect(called.length).toBeGreaterThan(5);
  expect(called.filter((name) => !COMMANDS.some(([known]) => known === name))).toEqual([]);
});

describe('examples', () => {
  const shop = new Shop();

  beforeAll(async () => {
    await shop.open();
    await shop.addEntries(2, { daysAgo: 0, model: 'Order' });
    await shop.addEntries(100, { daysAgo: 400 });
    await shop.addEntries(200, { daysAgo: 0 });
    await shop.database.rows(`insert into "Orders" select n, 'new' from generate_series(1, 25) n`);
  });

  afterAll(() => shop.close());

  /** Numbers differ from run to run, and with them the widths of columns. */
  const shape = (text: string): string =>
    text
      .replaceAll(/SHA-256 [0-9a-f]{64}/g, 'SHA-256 …')
      .replaceAll(/[\d.,]*\d( [kMG]?B\b)?/g, '0')
      .replaceAll(/ +/g, ' ')
      .trim();

  interface Example {
    readonly argv: readonly string[];
    readonly said: string;
  }

  const examples = blocksOf(PAPER)
    .filter(({ language }) => language === 'console')
    .flatMap(({ code }) => code.split(/^\$ /m).slice(1))
    .filter((text) => text.startsWith('sequelize-auditlog '))
    .map((text): Example => {
      const [line = '', ...said] = text.split('\n');
      return { argv: line.split(' ').slice(1), said: said.join('\n') };
    });

  const REPEATED = ['migrate', 'stats', 'export', 'prune', 'archive', 'restore', 'populate'];

  test.each(REPEATED)('%s says what its example shows', async (name) => {
    const mine = examples.filter(({ argv }) => argv[0] === name);
    expect(mine.length).toBeGreaterThan(0);
    for (const { argv, said } of mine) {
      const { stdout, stderr }: Said = await shop.say(argv);
      expect(shape(stdout + stderr)).toBe(shape(said));
    }
  });

  test('check says what its example shows', async () => {
    await shop.database.rows(`drop index "Orders_history_object"`);
    const { code, stdout } = await shop.say(['check']);
    const [example] = examples.filter(({ argv }) => argv[0] === 'check');
    expect([code, shape(stdout)]).toEqual([3, shape(example!.said)]);
  });
});
