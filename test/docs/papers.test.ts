import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeSpansOf, headingsOf, readPaper, ROOT, withoutBlocks } from './support/markdown';

const PAPERS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'docs/cli.md',
  'docs/errors.md',
  'docs/events.md',
  'docs/export.md',
  'docs/from-django.md',
  'docs/migrations.md',
  'docs/operations.md',
  'docs/reports.md',
  'docs/retention.md',
  'docs/web.md',
  'example-app/README.md',
];

/** Targets of the links of a paper that lie in the repository. */
function linksOf(paper: string): string[] {
  const links = [...withoutBlocks(readPaper(paper)).matchAll(/\]\(([^)]+)\)/g)].map(
    ([, target = '']) => target,
  );
  return links.filter((target) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function leadsSomewhere(paper: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? paper : join(dirname(paper), path);
  if (!existsSync(join(ROOT, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

function anchorsOf(file: string): string[] {
  const text = readPaper(file);
  return [1, 2, 3].flatMap((level) => headingsOf(text, level)).map(anchorOf);
}

test('the README links to the page of errors and to the other papers', () => {
  expect(linksOf('README.md')).toEqual(
    expect.arrayContaining(['docs/errors.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md']),
  );
});

test.each(PAPERS)('every link of %s leads to a file and heading that are there', (paper) => {
  expect(linksOf(paper).filter((target) => !leadsSomewhere(paper, target))).toEqual([]);
});

test('a link to nowhere is noticed', () => {
  expect(leadsSomewhere('README.md', 'docs/nowhere.md')).toBe(false);
  expect(leadsSomewhere('README.md', 'docs/errors.md#nowhere')).toBe(false);
  expect(leadsSomewhere('docs/errors.md', '#err_audit_uncaptured')).toBe(true);
});

test('every file and room that ARCHITECTURE.md names is there', () => {
  const names = codeSpansOf(withoutBlocks(readPaper('ARCHITECTURE.md')));
  const rooms = names.filter((name) => /^[a-z]+\/([a-z-]+\.ts)?$/.test(name) && name !== 'lib/');
  expect(rooms).toContain('capture/door.ts');
  expect(rooms.filter((name) => !existsSync(join(ROOT, 'lib', name)))).toEqual([]);
});
