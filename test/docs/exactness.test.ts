import { NOT_RECORDED } from '../../lib/inspect/not-recorded';
import { MODES } from '../write-paths/modes';
import { WRITE_PATHS } from '../write-paths/paths';
import { readPaper } from './support/markdown';

const readme = readPaper('README.md');

/** The items of the list below a heading, without marks. */
function itemsBelow(heading: string): string[] {
  const [, after = ''] = readme.split(`\n## ${heading}\n`);
  const [section = ''] = after.split(/^## /m);
  const [, ...items] = section.replaceAll(/[`*]/g, '').split(/^- /m);
  return items.map((item) => item.replaceAll(/\s+/g, ' ').trim());
}

test('the README lists what is not recorded in the words of coverage()', () => {
  expect(itemsBelow('What is not recorded')).toEqual(
    NOT_RECORDED.map(({ message, advice }) => `${message} ${advice}`),
  );
});

test('the README counts the write paths that are tested', () => {
  const [paths, modes] = [WRITE_PATHS.length, Object.keys(MODES).length];
  const rows = readme.split('\n').filter((line) => line.startsWith('| this library, PostgreSQL'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  const right = [`${paths} × ${modes}`, String(paths * modes), '0', '0', '0', '0'];
  expect(cells.map(([, , ...numbers]) => numbers.slice(0, -1))).toEqual([right, right]);
  expect(readme).toContain(`takes ${paths} of them`);
});
