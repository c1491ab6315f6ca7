import { typescriptBlocksOf, type Block } from '../markdown';

/** One numbered part of the page: a code block of the guide, and its counterpart. */
export interface Item {
  readonly heading: string;
  /** A number for a block of the guide, a letter for one of our own. */
  readonly number: string;
  readonly title: string;
  /** Up to the next item or heading. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

export interface Section {
  readonly heading: string;
  readonly items: readonly Item[];
}

/** Sections of any level, in order. */
export function sectionsOf(page: string): Section[] {
  // A line of code may begin with the sign of a heading, but not with two and a blank.
  return page
    .split(/^#{2,4} /m)
    .slice(1)
    .map((part) => {
      const [heading = ''] = part.split('\n');
      return { heading, items: itemsIn(heading, part) };
    });
}

export function itemsOf(page: string): Item[] {
  return sectionsOf(page).flatMap(({ items }) => items);
}

function itemsIn(heading: string, section: string): Item[] {
  return section
    .split(/^(?=\*\*\w+\. )/m)
    .slice(1)
    .map((text) => {
      const [, number = '', title = ''] = /^\*\*(\w+)\. (.+?)\.\*\*/s.exec(text) ?? [];
      return { heading, number, title: title.replaceAll('\n', ' '), text, blocks: typescriptBlocksOf(text) };
    });
}

/** Cells of the rows of the first table whose head has that cell. */
export function tableRows(text: string, head: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => cellsOf(line).includes(head));
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end === -1 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
