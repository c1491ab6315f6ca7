import { rmSync } from 'node:fs';
import { createProgram } from '../../lib/cli/program';
import { CARE_CHECKS } from './support/from-django/care-checks';
import { database } from './support/from-django/database';
import { EVENT_CHECKS } from './support/from-django/event-checks';
import { GUIDE, GUIDE_BLOCKS } from './support/from-django/guide';
import { HISTORY_CHECKS } from './support/from-django/history-checks';
import { LOG_CHECKS } from './support/from-django/log-checks';
import { OWN_CHECKS } from './support/from-django/own-checks';
import { sectionsOf } from './support/from-django/page';
import {
  auditLog,
  files,
  folder,
  items,
  load,
  LogEntry,
  openProject,
  Order,
  orders,
  page,
  type Exports,
} from './support/from-django/world';
import { typescriptBlocksOf, withoutBlocks } from './support/markdown';

const OUR_OWN = ['Beyond the guide', 'What is not offered'];
/** `LogEntry.objects`, which the page names too. */
const DJANGO_MANAGER = 'objects';

/** One for each block of the guide, and for each item of our own. */
const CHECKS = { ...HISTORY_CHECKS, ...LOG_CHECKS, ...EVENT_CHECKS, ...CARE_CHECKS, ...OWN_CHECKS };

beforeAll(openProject);

// Blocks of the page register the model with other options.
beforeEach(() => void auditLog.registerAudited(Order, { snapshots: true }));

afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the page treats every block of the guide, in its order', () => {
  const titles = GUIDE.flatMap(([, ...blocks]) => blocks);
  expect(titles).toHaveLength(GUIDE_BLOCKS);
  const ofGuide = items.filter(({ number }) => /^\d+$/.test(number));
  expect(ofGuide.map(({ number, title }) => `${number} ${title}`)).toEqual(
    titles.map((title, at) => `${at + 1} ${title}`),
  );
});

test('its headings are the guide’s', () => {
  const headings = sectionsOf(page).map(({ heading, items: inside }) => [
    heading,
    ...inside.filter(({ number }) => /^\d+$/.test(number)).map(({ title }) => title),
  ]);
  expect(headings).toEqual([...GUIDE, ...OUR_OWN.map((heading) => [heading])]);
});

test('every block has a name of its own and a check', () => {
  expect(Object.keys(CHECKS)).toEqual(items.map(({ number }) => number));
  const names = typescriptBlocksOf(page).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(items.flatMap(({ blocks }) => blocks)).toHaveLength(names.length);
});

test('what sentences and tables name is there', async () => {
  const owners: Readonly<Record<string, object>> = {
    auditLog,
    orders,
    LogEntry,
    entry: LogEntry.prototype as object,
    version: orders.Snapshot.prototype as object,
  };
  const named = [...withoutBlocks(page).matchAll(/`(?:await )?(\w+)\.(\w+)/g)].filter(
    ([, owner = '', member]) => owner in owners && member !== DJANGO_MANAGER,
  );
  expect(named.length).toBeGreaterThan(30);
  expect(
    named.filter(([, owner, member]) => !Reflect.has(owners[owner!]!, member!)).map(([text]) => text),
  ).toEqual([]);
});

test('every command is one of the program', () => {
  const commands = [...page.matchAll(/npx sequelize-auditlog ([^`\n]*)/g)].map(([, words = '']) =>
    words.trim(),
  );
  expect(commands).toContainEqual(expect.stringMatching(/^archive /));
  const nowhere = { write: () => true };
  const idle = new Proxy({}, { get: () => () => () => undefined });
  for (const words of commands) {
    const program = createProgram({ stdout: nowhere, stderr: nowhere } as never, idle as never);
    expect(() => program.parse(words.split(' '), { from: 'user' })).not.toThrow();
  }
});

test.each(items.map((item) => [item.number, item.title, item] as const))(
  '%s: %s',
  async (number, _title, item) => {
    expect(CHECKS).toHaveProperty(number);
    const modules = item.blocks.map(({ name }) => load(name!));
    await CHECKS[number]!(Object.assign({}, ...modules) as Exports, item);
  },
);

// Not as tests of their own: they are declared while they load.
for (const name of Object.keys(files).filter((each) => each.endsWith('.test.ts'))) load(name);
