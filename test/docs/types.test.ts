import { rm } from 'node:fs/promises';
import { blocksOf, codeSpansOf, readPaper, typescriptBlocksOf, type Block } from './support/markdown';
import { filesOf } from './support/from-django/project';
import { recipesModule } from './support/recipes';
import { moduleOf, temporaryFolder, typeCheck } from './support/snippets';

const readme = readPaper('README.md');
const fromDjango = filesOf(typescriptBlocksOf(readPaper('docs/from-django.md')));
const [firstProgram, wiring, ...recipes] = typescriptBlocksOf(readme) as [Block, Block, ...Block[]];

let folder = '';
let complaints: Record<string, string[]> = {};

beforeAll(async () => {
  folder = await temporaryFolder();
  complaints = await typeCheck(folder, {
    'first-program.mts': firstProgram.code,
    'recipes.ts': moduleOf(wiring, recipes),
    'errors.ts': moduleOf(wiring, typescriptBlocksOf(readPaper('docs/errors.md'))),
    ...fromDjango,
    'docs-reports.ts': recipesModule(typescriptBlocksOf(readPaper('docs/reports.md'))),
    'docs-operations.ts': recipesModule(typescriptBlocksOf(readPaper('docs/operations.md'))),
    'docs-events.ts': eventsModule(),
    'options.ts': optionsModule(),
    'entry.ts': entryModule(),
    'faulty.ts': moduleOf(wiring, [{ language: 'ts', name: 'faulty', code: 'await order.upadte({});\n' }]),
  });
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** First cells of the rows of the table below a line. */
function firstCells(below: string): string[] {
  const [, after = ''] = readme.split(`\n${below}\n`);
  const table = after.trimStart().split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split('|')[1] ?? '');
}

/** The options of `registerAudited`, from the sentence that lists them. */
function registrationOptions(): string[] {
  const sentence = /^`registerAudited\(Model, options\)`:(.*?)\. /ms.exec(readme)?.[1] ?? '';
  return codeSpansOf(sentence);
}

/** An object that has exactly the keys of a type, or the compiler complains. */
function exactly(type: string, names: readonly string[]): string {
  const members = names.map((name) => `${JSON.stringify(name)}: true,`).join('\n');
  return `export const names${type.length}: Record<${type}, true> = {\n${members}\n};`;
}

/** What follows on the bus stands in its module; the files of the shop are checked with it. */
function eventsModule(): string {
  const [bus, subscribe] = typescriptBlocksOf(readPaper('docs/events.md')) as [Block, Block];
  return recipesModule([{ ...subscribe, code: bus.code + subscribe.code }]);
}

function optionsModule(): string {
  const names = firstCells('`createAuditLog(sequelize, options)`:').flatMap(codeSpansOf);
  return [
    "import type { AuditLogOptions, RegistrationOptions } from 'sequelize-auditlog';",
    "type ActorOptions = NonNullable<AuditLogOptions['actor']>;",
    "type Names = Exclude<keyof AuditLogOptions, 'actor'> | `actor.${keyof ActorOptions}`;",
    exactly('Names', names),
    exactly('keyof RegistrationOptions', registrationOptions()),
  ].join('\n');
}

function entryModule(): string {
  const sample = blocksOf(readme).find(({ language }) => language === 'json')?.code;
  return `import type { LogEntryJson } from 'sequelize-auditlog';\nexport const sample: LogEntryJson = ${sample};`;
}

test('a snippet with a fault does not compile', () => {
  expect(complaints['faulty.ts']).toEqual([expect.stringContaining("'upadte' does not exist")]);
  // One start of the compiler, which a busy machine makes long.
}, 120_000);

test('the first program compiles', () => {
  expect(complaints['first-program.mts']).toEqual([]);
});

test('the recipes compile with what a reader has in scope', () => {
  expect(complaints['recipes.ts']).toEqual([]);
});

test('the examples of the page of errors compile', () => {
  expect(complaints['errors.ts']).toEqual([]);
});

test('the application of the page for those who come from Django compiles', () => {
  expect(Object.keys(fromDjango).flatMap((name) => complaints[name])).toEqual([]);
});

test.each(['docs-reports.ts', 'docs-operations.ts', 'docs-events.ts'])(
  'the examples of %s compile',
  (file) => {
    expect(complaints[file]).toEqual([]);
  },
);

test('the tables of options name every option and no other', () => {
  expect(complaints['options.ts']).toEqual([]);
});

test('the sample of an entry has the attributes of an entry and no other', () => {
  expect(complaints['entry.ts']).toEqual([]);
});
