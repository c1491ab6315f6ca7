import type { JSX } from 'preact';
import type { Visit } from '../visit';

/** An instant: absolute in the page's zone, relative beside it, UTC on hover. The script puts both into the browser's zone. */
export function Moment({
  visit: { clock },
  at,
  bare = false,
}: {
  readonly visit: Pick<Visit, 'clock'>;
  /** ISO text in UTC, with microseconds. */
  readonly at: string;
  /** Without the relative part. */
  readonly bare?: boolean;
}): JSX.Element {
  return (
    <time class="moment" dateTime={at} title={at}>
      <span class="moment-at">{clock.full(at)}</span>
      {/* For whoever hears it: the dot between them is only seen. */}
      {!bare && ' '}
      {!bare && <span class="moment-ago">{clock.relative(at)}</span>}
    </time>
  );
}
