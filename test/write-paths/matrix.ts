import { MODES, type ModeName } from './modes';

/** Whether each path was right in each mode. */
export type Results = Map<string, Map<ModeName, boolean>>;

/** Whether every path runs in every mode, and the outcome is printed. */
export const prints = process.env['npm_lifecycle_event'] === 'test:write-paths';

const NAMES = Object.keys(MODES) as ModeName[];

function line(name: string, cells: readonly string[], width: number): string {
  return `${name.padEnd(width)} ${cells.map((cell, at) => cell.padEnd((NAMES[at] ?? '').length)).join('  ')}`;
}

/** Prints path × mode, and the count of what is right; once for each server. */
export function printMatrix(results: Results, serverMajor: number): void {
  if (!prints) return;
  const width = Math.max(...[...results.keys()].map((name) => name.length));
  const rows = [...results].map(([name, seen]) =>
    line(
      name,
      NAMES.map((mode) => mark(seen.get(mode))),
      width,
    ),
  );
  const cells = [...results.values()].flatMap((seen) => NAMES.map((mode) => seen.get(mode) === true));
  const right = cells.filter(Boolean).length;
  const title = `PostgreSQL ${serverMajor}: ${results.size} write paths`;
  const text = [
    title,
    line('', NAMES, width),
    ...rows,
    `${right} of ${cells.length} right (PostgreSQL ${serverMajor})`,
  ];
  process.stdout.write(`${text.join('\n')}\n\n`);
}

function mark(isRight: boolean | undefined): string {
  if (isRight === undefined) return '-';
  return isRight ? '✓' : '✗';
}
