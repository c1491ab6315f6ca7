import type { ComponentChild, JSX } from 'preact';
import { isCaptured } from '../audited-object';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';
import { Changes } from './changes';
import { fieldOf } from './fields';
import { Moment } from './moment';
import { Sentence } from './sentence';
import { StateValue, type StateField } from './state-table';

/** What the rows of a timeline offer. */
export interface VersionOptions {
  /** Whether states of this model can be told, so that there are links to them. */
  readonly hasStates: boolean;
  readonly mayRevert: boolean;
  /** Values that stand beside each version, by the id of its entry. */
  readonly columns: ReadonlyMap<string, readonly StateField[]>;
  /** Of the newest change: to it nothing can be reverted. */
  readonly newestId: string | null;
}

interface RowProps {
  readonly visit: Visit;
  readonly entry: EntryView;
  readonly options: VersionOptions;
}

function Links({ visit, entry, options: { hasStates, mayRevert, newestId } }: RowProps): JSX.Element | null {
  const { texts, urls } = visit;
  const { model, objectPk, id, action } = entry;
  if (!hasStates || !isCaptured(entry)) return null;
  const canRevert = mayRevert && action !== 'delete' && id !== newestId;
  return (
    <>
      <a href={urls.at(model, objectPk!, { entry: id })}>{texts.t('object.asOf')}</a>
      {canRevert && (
        <a href={urls.revert(model, objectPk!, { to: id })} class="revert">
          {texts.t('object.revertTo')}
        </a>
      )}
    </>
  );
}

function Columns({
  visit,
  fields,
}: {
  readonly visit: Visit;
  readonly fields: readonly StateField[];
}): JSX.Element {
  return (
    <p class="meta columns-then">
      {fields.map((each) => (
        <span key={each.field.name}>
          {each.field.label}: <StateValue visit={visit} of={each} />
        </span>
      ))}
    </p>
  );
}

function Pick({ visit, entry, options }: RowProps): ComponentChild {
  if (!options.hasStates || !isCaptured(entry)) return null;
  const when = visit.clock.full(entry.timestamp);
  return (
    <input
      type="checkbox"
      name="pick"
      value={entry.id}
      class="pick"
      aria-label={visit.texts.t('object.pick', { when })}
    />
  );
}

function hasChanges({ changes, hiddenChanges }: EntryView): boolean {
  return Object.keys(changes ?? {}).length + hiddenChanges > 0;
}

function VersionRow(props: RowProps): JSX.Element {
  const { visit, entry, options } = props;
  const { texts, urls } = visit;
  const columns = options.columns.get(entry.id) ?? [];
  return (
    <li id={`e${entry.id}`} class="entry version" data-entry={entry.id} data-action={entry.action} data-item>
      <Pick {...props} />
      <div>
        <Sentence visit={visit} entry={entry} />
        <p class="meta">
          <a href={urls.entry(entry.id)} data-open>
            <Moment visit={visit} at={entry.timestamp} />
          </a>
          <Links {...props} />
          {entry.correlationId !== null && (
            <a href={urls.request(entry.correlationId)}>{entry.request ?? texts.t('entry.request')}</a>
          )}
        </p>
        {entry.reason !== null && <p class="reason">{entry.reason}</p>}
        {columns.length > 0 && <Columns visit={visit} fields={columns} />}
        {hasChanges(entry) && (
          <details>
            <summary>{texts.t('object.changes')}</summary>
            <Changes visit={visit} entry={entry} />
          </details>
        )}
      </div>
    </li>
  );
}

/** The entries of one object, with boxes to tick two of them. */
export function VersionList({
  visit,
  entries,
  options,
}: {
  readonly visit: Visit;
  readonly entries: readonly EntryView[];
  readonly options: VersionOptions;
}): JSX.Element {
  return (
    <ol class="versions">
      {entries.map((entry) => (
        <VersionRow key={entry.id} visit={visit} entry={entry} options={options} />
      ))}
    </ol>
  );
}

/** Fields that lists show beside versions: those that the host names and the visitor sees. */
export function columnFields(visit: Visit, model: string): StateField[] {
  const { columns } = visit.web.options;
  const names = Object.hasOwn(columns, model) ? columns[model]! : [];
  return names
    .filter((name) => visit.access.sees(model, name))
    .map((name) => ({ field: fieldOf(visit, model, name), raw: undefined, why: 'notRecorded' }));
}
