import { readFile, writeFile } from 'node:fs/promises';
import { quantile, quartiles } from './statistics.mjs';

const two = (number) => number.toFixed(2);

/** Per round, how many times as long as plain. */
function ratios(times, task, variant) {
  return times[task][variant].map((milliseconds, round) => milliseconds / times[task].plain[round]);
}

function cell(times, task, variant) {
  if (variant === 'plain') return `${quantile(times[task].plain, 0.5).toFixed(2)} ms`;
  const { low, median, high } = quartiles(ratios(times, task, variant));
  return `**${two(median)}** (${two(low)}–${two(high)})`;
}

function rowsOf({ times }) {
  const variants = Object.keys(Object.values(times)[0]);
  const rows = Object.keys(times).map((task) => [task, ...variants.map((name) => cell(times, task, name))]);
  return [['', ...variants], ...rows];
}

function extraMilliseconds({ times }) {
  const task = 'Model.destroy 1000';
  if (!times[task]?.plain) return '';
  const extra = Object.keys(times[task])
    .filter((name) => name !== 'plain')
    .map((name) => {
      const differences = times[task][name].map(
        (milliseconds, round) => milliseconds - times[task].plain[round],
      );
      return `${name} +${quantile(differences, 0.5).toFixed(0)} ms`;
    });
  return `${task}, beyond plain: ${extra.join(', ')}.`;
}

function sizesLine({ sizes }) {
  const parts = Object.entries(sizes).map(
    ([name, { bytes, heap }]) =>
      `${name} ${bytes.toFixed(0)} bytes an entry (${heap.toFixed(0)} without indexes)`,
  );
  return parts.length === 0 ? '' : `The log on disk, indexes included: ${parts.join('; ')}.`;
}

/** How the parts of RESULTS.md begin, in their order. */
export const HEADINGS = {
  writes: '# Results of `npm run bench`',
  history: '# Results of `npm run bench:history`',
  retention: '# Results of `npm run bench:retention`',
};

/** Puts a part into RESULTS.md in the place of what was there; the others stay. `text` begins with the part's heading. */
export async function storePart(part, text) {
  const file = new URL('./RESULTS.md', import.meta.url);
  const known = await readFile(file, 'utf8').catch(() => '');
  const parts = known.split(/^(?=# Results of )/m);
  const texts = Object.entries(HEADINGS).map(([name, heading]) =>
    name === part ? text : parts.find((each) => each.startsWith(`${heading}\n`)),
  );
  await writeFile(file, `${texts.flatMap((each) => each?.trim() || []).join('\n\n')}\n`);
}

export function printTable(result) {
  const rows = rowsOf(result).map((row) => row.map((text) => text.replaceAll('**', '')));
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  console.log(`\n${result.title}, ${result.rounds} rounds`);
  for (const row of rows)
    console.log(
      row
        .map((text, at) => text.padEnd(widths[at] + 2))
        .join('')
        .trimEnd(),
    );
  console.log([extraMilliseconds(result), sizesLine(result)].filter(Boolean).join('\n'));
}

function section(result) {
  const [head, ...rows] = rowsOf(result);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    `## ${result.title}`,
    '',
    line(head),
    line(head.map((_, at) => (at === 0 ? '---' : '---:'))),
    ...rows.map(line),
    '',
    extraMilliseconds(result),
    '',
    sizesLine(result),
    '',
  ].join('\n');
}

export function report(results, machine) {
  const [first] = results;
  return `${HEADINGS.writes}

Median (and quartiles) of ${first.rounds} per-round ratios to plain Sequelize; the column "plain" is its median time of one operation.
All variants run in one go, each in a process of its own, every task by every variant in each round, in an order drawn anew.
"deltas" and "deltas + versions" are this library; the others store less, see [README.md](README.md).

${machine}

${results.map(section).join('\n')}`;
}
