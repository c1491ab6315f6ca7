import { printable, type Cell } from './printable';

export interface Column {
  readonly head: string;
  /** @default 'left' */
  readonly align?: 'left' | 'right';
  /** Colours a cell that is aligned already. */
  readonly paint?: (cell: string) => string;
}

const GAP = '  ';

function padded(text: string, width: number, align: Column['align']): string {
  // By characters, not by UTF-16 units.
  const blanks = ' '.repeat(Math.max(0, width - Array.from(text).length));
  return align === 'right' ? blanks + text : text + blanks;
}

/** Columns aligned by blanks; cells are freed of what would steer a terminal. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paintHead: (text: string) => string = (text) => text,
): string {
  const cells = rows.map((row) => columns.map((_, at) => printable(row[at])));
  const widths = columns.map(({ head }, at) =>
    Math.max(...[head, ...cells.map((row) => row[at]!)].map((text) => Array.from(text).length)),
  );
  const line = (texts: readonly string[], paint: (at: number) => Column['paint']): string =>
    columns
      .map(({ align }, at) => {
        const isLast = at === columns.length - 1 && align !== 'right';
        const cell = isLast ? texts[at]! : padded(texts[at]!, widths[at]!, align);
        return paint(at)?.(cell) ?? cell;
      })
      .join(GAP);
  const head = line(
    columns.map((column) => column.head),
    () => paintHead,
  );
  return [head, ...cells.map((row) => line(row, (at) => columns[at]?.paint))]
    .map((text) => text.trimEnd())
    .join('\n');
}
