import type { JSX } from 'preact';
import type { ActivityBucket } from '../reading/activity';
import type { Visit } from '../visit';
import { CountTable, type Counted } from './count-table';

const WIDTH = 20;
const GAP = 3;
const HEIGHT = 72;
/** So that a day with one entry beside one with thousands can still be seen. */
const LEAST = 2;

/** One day of the chart. */
interface Day extends Counted {
  readonly day: string;
  readonly isCurrent: boolean;
}

function Bar({
  day: { label, count, href, isCurrent },
  index,
  highest,
  title,
}: {
  readonly day: Day;
  readonly index: number;
  readonly highest: number;
  readonly title: string;
}): JSX.Element {
  const height = count === 0 ? 0 : Math.max(LEAST, Math.round((count / highest) * HEIGHT));
  const x = index * WIDTH;
  return (
    <a key={label} href={href} tabindex={-1}>
      <title>{title}</title>
      <rect class="ground" x={x} y={0} width={WIDTH} height={HEIGHT} />
      <rect
        class={isCurrent ? 'bar current' : 'bar'}
        x={x}
        y={HEIGHT - height}
        width={WIDTH - GAP}
        height={height}
      />
    </a>
  );
}

/** The numbers, for whoever doesn't see the bars or doesn't point. */
function Numbers({ visit, days }: { readonly visit: Visit; readonly days: readonly Day[] }): JSX.Element {
  const { texts } = visit;
  return (
    <details class="chart-table">
      <summary>{texts.t('bars.table')}</summary>
      <CountTable visit={visit} of={texts.t('bars.day')} rows={days} />
    </details>
  );
}

/** Entries per day: each bar leads to its day. */
export function Bars({
  visit,
  caption,
  buckets,
  hrefOf,
  current,
}: {
  readonly visit: Visit;
  readonly caption: string;
  readonly buckets: readonly ActivityBucket[];
  /** The list of one day, `2026-11-21`. */
  readonly hrefOf: (day: string) => string;
  /** The day that is shown, if it is one. */
  readonly current: string | null;
}): JSX.Element {
  const { clock, texts } = visit;
  const days = buckets.map(({ start, count }): Day => {
    const day = clock.day(start);
    return { day, label: clock.date(start), count, href: hrefOf(day), isCurrent: day === current };
  });
  const total = days.reduce((sum, { count }) => sum + count, 0);
  const highest = Math.max(1, ...days.map(({ count }) => count));
  return (
    <figure class="activity">
      <figcaption class="small muted">
        {days.length > 0 && total === 0 ? texts.t('bars.zero', { caption }) : caption}
      </figcaption>
      {days.length > 0 && (
        <>
          <svg
            class="bars"
            viewBox={`0 0 ${days.length * WIDTH - GAP} ${HEIGHT}`}
            preserveAspectRatio="none"
            aria-hidden="true"
          >
            {days.map((day, index) => (
              <Bar
                key={day.day}
                day={day}
                index={index}
                highest={highest}
                title={texts.tn('bars.bar', day.count, { day: day.label })}
              />
            ))}
          </svg>
          <Numbers visit={visit} days={days} />
        </>
      )}
    </figure>
  );
}
