import type { JSX } from 'preact';
import { boundedText } from '../../context/text';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';
import { Moment } from './moment';
import { Sentence } from './sentence';

const MAX_REASON = 140;

function shown(text: string): string {
  return text.length <= MAX_REASON ? text : `${boundedText(text, MAX_REASON)}…`;
}

/** The request that an entry belongs to, with a link to all that it did; nothing when none is known. */
function RequestLink({
  visit,
  entry,
}: {
  readonly visit: Visit;
  readonly entry: EntryView;
}): JSX.Element | null {
  const { request, correlationId, transactionId } = entry;
  const { urls, texts } = visit;
  const label = request === null ? null : shown(request);
  if (correlationId !== null)
    return <a href={urls.request(correlationId)}>{label ?? texts.t('entry.request')}</a>;
  if (label !== null) return <span>{label}</span>;
  if (transactionId === null) return null;
  return <a href={urls.transaction(transactionId)}>{texts.t('entry.transaction')}</a>;
}

/** One entry of a list: its sentence, when, its request and its reason. */
export function EntryRow({
  visit,
  entry,
  inGroup = false,
}: {
  readonly visit: Visit;
  readonly entry: EntryView;
  /** Whether its group says already which request it was. */
  readonly inGroup?: boolean;
}): JSX.Element {
  const { id, timestamp, reason, action } = entry;
  return (
    <li class="entry" data-entry={id} data-action={action} data-item>
      <Sentence visit={visit} entry={entry} />
      <p class="meta">
        <a href={visit.urls.entry(id)} data-open>
          <Moment visit={visit} at={timestamp} />
        </a>
        {!inGroup && <RequestLink visit={visit} entry={entry} />}
      </p>
      {reason !== null && !inGroup && <p class="reason">{shown(reason)}</p>}
    </li>
  );
}
