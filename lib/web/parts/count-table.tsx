import type { ComponentChildren, JSX } from 'preact';
import type { Visit } from '../visit';

/** What is counted, with a link to the entries that are meant. */
export interface Counted {
  readonly label: string;
  readonly count: number;
  readonly href: string;
}

/** How many entries there are of each of several things. */
export function CountTable({
  visit: { texts },
  of,
  rows,
  children,
  class: className,
}: {
  readonly visit: Visit;
  /** What the things are, at the head of their column. */
  readonly of: string;
  readonly rows: readonly Counted[];
  readonly class?: string;
  /** The caption, where nothing beside the table says it. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <table class={className}>
      {children}
      <thead>
        <tr>
          <th scope="col">{of}</th>
          <th scope="col" class="number">
            {texts.t('bars.entries')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, count, href }) => (
          <tr key={label}>
            <th scope="row">
              <a href={href}>{label}</a>
            </th>
            <td class="number">{texts.number(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
