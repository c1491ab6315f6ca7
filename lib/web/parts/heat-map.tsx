import type { JSX } from 'preact';
import type { Visit } from '../visit';

const CELL = 16;
const GAP = 2;
const LEFT = 34;
const TOP = 14;
const HOURS = 24;
const LABELLED_HOURS = 6;
const LEVELS = 4;
/** A Monday. */
const SOME_MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** `[weekday][hour]`, Monday first. */
export type WeekHours = readonly (readonly number[])[];

function weekdayNames(locale: string): string[] {
  const format = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
  return Array.from({ length: 7 }, (_, index) => format.format(SOME_MONDAY + index * DAY_MS));
}

const hourText = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

function levelOf(count: number, highest: number): number {
  return count === 0 ? 0 : Math.max(1, Math.ceil((count / highest) * LEVELS));
}

interface HeatProps {
  readonly visit: Visit;
  readonly hours: WeekHours;
}

function Cells({
  visit: { texts },
  hours,
  names,
}: HeatProps & { readonly names: readonly string[] }): JSX.Element[] {
  const highest = Math.max(1, ...hours.flat());
  return hours.flatMap((row, weekday) =>
    row.map((count, hour) => (
      <rect
        key={`${weekday} ${hour}`}
        class={`heat-${levelOf(count, highest)}`}
        x={LEFT + hour * CELL}
        y={TOP + weekday * CELL}
        width={CELL - GAP}
        height={CELL - GAP}
        rx={2}
      >
        {count > 0 && (
          <title>{texts.tn('heat.cell', count, { day: names[weekday]!, hour: hourText(hour) })}</title>
        )}
      </rect>
    )),
  );
}

function Numbers({
  visit: { texts },
  hours,
  names,
}: HeatProps & { readonly names: readonly string[] }): JSX.Element {
  return (
    <details class="chart-table">
      <summary>{texts.t('bars.table')}</summary>
      <div class="table-wrap">
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.t('heat.hour')}</th>
              {names.map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: HOURS }, (_, hour) => (
              <tr key={hour}>
                <th scope="row">{hourText(hour)}</th>
                {hours.map((row, weekday) => (
                  <td key={names[weekday]} class="number">
                    {texts.number(row[hour] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** When in the week there were how many entries. */
export function HeatMap({ visit, hours, caption }: HeatProps & { readonly caption: string }): JSX.Element {
  const names = weekdayNames(visit.texts.locale);
  const labelled = Array.from({ length: HOURS / LABELLED_HOURS }, (_, index) => index * LABELLED_HOURS);
  return (
    <figure class="activity">
      <figcaption class="small muted">{caption}</figcaption>
      <svg class="heat" viewBox={`0 0 ${LEFT + HOURS * CELL} ${TOP + 7 * CELL}`} aria-hidden="true">
        {labelled.map((hour) => (
          <text key={hour} x={LEFT + hour * CELL} y={TOP - 4}>
            {hourText(hour)}
          </text>
        ))}
        {names.map((name, weekday) => (
          <text key={name} x={0} y={TOP + weekday * CELL + 11}>
            {name}
          </text>
        ))}
        <Cells visit={visit} hours={hours} names={names} />
      </svg>
      <Numbers visit={visit} hours={hours} names={names} />
    </figure>
  );
}
