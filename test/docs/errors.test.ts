import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIT_ERROR_CODES } from '../../lib/core/errors';
import { headingsOf, readPaper, ROOT } from './support/markdown';

const NOT_YET = 'This version of the library does not throw it yet.';

const paper = readPaper('docs/errors.md');
const headings = headingsOf(paper, 2);
const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path !== join('core', 'errors.ts'))
  .map((path) => readFileSync(join(ROOT, 'lib', path), 'utf8'));

/** The codes that are raised in `lib`: they stand in quotes there, and bare in comments. */
function raised(pattern: RegExp): string[] {
  const found = sources.flatMap((source) => [...source.matchAll(pattern)].map(([, code = '']) => code));
  return [...new Set(found)].toSorted();
}

function sectionOf(heading: string): string {
  const [, section = ''] = paper.split(`\n## ${heading}\n`);
  return section.split(/^#{1,2} /m)[0] ?? '';
}

test('each error code has exactly one heading, in alphabetical order', () => {
  const codes = headings.filter((heading) => heading.startsWith('ERR_'));
  expect(codes).toEqual(AUDIT_ERROR_CODES.toSorted());
});

test('each warning code has exactly one heading below the errors, in alphabetical order', () => {
  const [, warnings = ''] = paper.split('\n# Warnings\n');
  // A variable of the program has a name of the same form.
  expect(headingsOf(warnings, 2)).toEqual(raised(/'(AUDIT_(?!DATABASE_URL')[A-Z_]+)'/g));
});

test('each code that the library raises is in the list of codes', () => {
  const codes = raised(/'(ERR_AUDIT_[A-Z_]+)'/g);
  expect(codes).toContain('ERR_AUDIT_MISSING_TABLE');
  expect(codes.filter((code) => !(AUDIT_ERROR_CODES as readonly string[]).includes(code))).toEqual([]);
});

test('the codes said not to be thrown yet are those that nothing throws', () => {
  const thrown = new Set(raised(/'(ERR_AUDIT_[A-Z_]+)'/g));
  const announced = headings.filter((heading) => sectionOf(heading).includes(NOT_YET));
  expect(announced).toEqual(AUDIT_ERROR_CODES.filter((code) => !thrown.has(code)));
});

test.each(headings)('the section %s says what it is about in a paragraph at least', (heading) => {
  expect(sectionOf(heading).trim().length).toBeGreaterThan(80);
});
