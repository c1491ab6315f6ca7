import type { JSX } from 'preact';
import type { ListOrder } from '../search/paging';
import type { Visit } from '../visit';

/** Links to the parts of a list on either side; nothing when all of it is on the page. */
export function Pager({
  visit: { texts },
  prev,
  next,
  order = 'desc',
  first = null,
}: {
  readonly visit: Visit;
  readonly prev: string | null;
  readonly next: string | null;
  /** Newest first, or oldest first. @default 'desc' */
  readonly order?: ListOrder;
  /** The beginning of a list with the newest first. */
  readonly first?: string | null;
}): JSX.Element | null {
  if (prev === null && next === null) return null;
  const [before, after] = order === 'desc' ? (['newer', 'older'] as const) : (['older', 'newer'] as const);
  return (
    <nav class="pager" aria-label={texts.t('pager.label')}>
      {prev !== null && (
        <a class="button" rel="prev" href={prev}>
          {texts.t(`page.${before}`)}
        </a>
      )}
      {prev !== null && first !== null && <a href={first}>{texts.t('page.first')}</a>}
      {next === null ? (
        <span class="muted" data-last>
          {texts.t('pager.last')}
        </span>
      ) : (
        <a class="button" rel="next" href={next}>
          {texts.t(`page.${after}`)}
        </a>
      )}
    </nav>
  );
}
