import { rm } from 'node:fs/promises';
import { blocksOf, codeSpansOf, readPaper, typescriptBlocksOf, type Block } from './support/markdown';
import { moduleOf, temporaryFolder, typeCheck } from './support/snippets';

const readme = readPaper('README.md');
const [firstProgram, wiring, ...recipes] = typescriptBlocksOf(readme) as [Block, Block, ...Block[]];

let folder = '';
let complaints: Record<string, string[]> = {};

beforeAll(async () => {
  folder = await temporaryFolder();
  complaints = await typeCheck(folder, {
    'first-program.mts': firstProgram.code,
    'recipes.ts': moduleOf(wiring, recipes),
    'errors.ts': moduleOf(wiring, typescriptBlocksOf(readPaper('docs/errors.md'))),
    'options.ts': optionsModule(),
    'entry.ts': entryModule(),
    'faulty.ts': moduleOf(wiring, [{ language: 'ts', name: 'faulty', code: 'await order.upadte({});\n' }]),
  });
});

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
});

test('the first program compiles', () => {
  expect(complaints['first-program.mts']).toEqual([]);
});

test('the recipes compile with what a reader has in scope', () => {
  expect(complaints['recipes.ts']).toEqual([]);
});

test('the examples of the page of errors compile', () => {
  expect(complaints['errors.ts']).toEqual([]);
});

test('the tables of options name every option and no other', () => {
  expect(complaints['options.ts']).toEqual([]);
});

test('the sample of an entry has the attributes of an entry and no other', () => {
  expect(complaints['entry.ts']).toEqual([]);
});
