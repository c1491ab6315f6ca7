import type { ComponentChild, JSX } from 'preact';
import type { Transaction } from 'sequelize';
import { hiddenReasons } from '../../past/object-state';
import { stateOf, type ObjectState } from '../../past/state';
import type { LogEntry } from '../../schema/log-entry';
import { html, type Answer } from '../answers';
import {
  isCaptured,
  nameOf,
  newestSeen,
  objectWhere,
  requestedObject,
  type AuditedObject,
} from '../audited-object';
import type { EntryView } from '../entry-view';
import { fieldOf } from '../parts/fields';
import { GetForm } from '../parts/get-form';
import { Layout } from '../parts/layout';
import { ActorLink, hostLink } from '../parts/links';
import { Moment } from '../parts/moment';
import { Pager } from '../parts/pager';
import { seenState, StateFacts, type SeenState } from '../parts/state-table';
import { versionColumns } from '../parts/version-columns';
import { columnFields, VersionList, type VersionOptions } from '../parts/version-list';
import { CURRENT, idOf, isStateSeen, justBefore } from '../points';
import { readEntries, type EntryList } from '../reading/entries';
import { registeredAttributes } from '../hidden';
import { unseenBy } from '../search/unseen';
import { viewing } from '../record-view';
import { WebProblem } from '../problem';
import type { Visit } from '../visit';

/** What stands at the head of a timeline. */
interface Present {
  readonly state: ObjectState | null;
  /** The newest change, when the visitor sees it. */
  readonly newest: EntryView | null;
}

interface Timeline {
  readonly visit: Visit;
  readonly object: AuditedObject;
  readonly name: string;
  readonly list: Pick<EntryList, 'next' | 'prev'>;
  readonly entries: readonly EntryView[];
  readonly present: Present;
  readonly options: VersionOptions;
  readonly field: string;
}

/** Fields that the visitor may choose from: registered ones, or whatever was asked for. */
function fieldNames({ access }: Visit, { registration }: AuditedObject, asked: string): string[] {
  const names = registration
    ? registeredAttributes(registration).filter((name) => access.sees(registration.name, name))
    : [];
  return asked === '' || names.includes(asked) ? names : [...names, asked];
}

async function readList(
  visit: Visit,
  object: AuditedObject,
  field: string,
  transaction: Transaction,
): Promise<EntryList> {
  const { settings, options } = visit.web;
  return readEntries(settings, {
    where: objectWhere(visit, object),
    unseen: unseenBy(visit.access, settings.registry, object.model),
    ...(field !== '' && { filter: { field: { any: [field], none: [] } } }),
    list: JSON.stringify(['object', object.model, object.pk]),
    limit: options.pageSize,
    cursor: visit.query.get('cursor'),
    transaction,
  });
}

/** The newest of all changes; of the entries on the page where that begins with the newest. */
async function newestChange(
  visit: Visit,
  object: AuditedObject,
  first: readonly LogEntry[] | null,
  transaction: Transaction,
): Promise<LogEntry | null> {
  const found = first?.find(isCaptured);
  if (found || (first && first.length < visit.web.options.pageSize)) return found ?? null;
  const where = objectWhere(visit, object, { action: ['create', 'update', 'delete'] });
  return visit.web.settings.LogEntry.findOne({ where, order: [['id', 'DESC']], transaction });
}

async function presentOf(
  visit: Visit,
  object: AuditedObject,
  newest: LogEntry | null,
  transaction: Transaction,
): Promise<Present> {
  const view = newest && visit.entries.view(newest);
  const { registration, key } = object;
  const isSeen = await isStateSeen(visit, object, { when: CURRENT, entry: null }, transaction);
  if (!registration || !key || !isSeen) return { state: null, newest: isSeen ? view : null };
  const { settings, snapshots } = visit.web;
  const state = await stateOf(settings, snapshots, registration, key, CURRENT, { transaction });
  return { state, newest: view };
}

async function readTimeline(
  visit: Visit,
  object: AuditedObject,
  mayRevert: boolean,
): Promise<{ props: Timeline; newest: LogEntry | null }> {
  const field = visit.query.get('field') ?? '';
  return visit.read(async (transaction) => {
    const list = await readList(visit, object, field, transaction);
    const isFirst = field === '' && list.prev === null;
    const newest =
      isFirst && list.entries[0] ? list.entries[0] : await newestSeen(visit, object, transaction);
    const change = await newestChange(visit, object, isFirst ? list.entries : null, transaction);
    const present = await presentOf(visit, object, change, transaction);
    const entries = list.entries.map((entry) => visit.entries.view(entry));
    const asked = {
      fields: columnFields(visit, object.model),
      isComplete: field === '' && visit.access.scope === null,
    };
    const columns = await versionColumns(visit, object, entries, asked, transaction);
    const hasStates = object.registration !== null;
    const options = { hasStates, mayRevert, columns, newestId: change?.id ?? null };
    const name = nameOf(visit, object, newest);
    return { newest, props: { visit, object, name, list, entries, present, options, field } };
  });
}

/** Deleted for the visitor: by the newest change, hard or soft. */
function isDeleted({ newest }: Present): boolean {
  return newest?.action === 'delete' && !('movedTo' in (newest.additionalData ?? {}));
}

function Status({ visit, object, present, options }: Timeline): JSX.Element | null {
  const { texts, urls } = visit;
  const { newest, state } = present;
  if (object.registration && !newest && !state) return <p class="notice info">{texts.t('object.unseen')}</p>;
  if (newest && isDeleted(present)) {
    const slots = {
      when: <Moment visit={visit} at={newest.timestamp} />,
      actor: <ActorLink visit={visit} entry={newest} />,
    };
    const to = urls.revert(object.model, object.pk, { to: justBefore(newest.timestamp) });
    return (
      <div class="notice warn">
        <p>{texts.rich('object.deleted', slots)}</p>
        {options.mayRevert && options.hasStates && (
          <p>
            <a class="button" href={to}>
              {texts.t('object.restore')}
            </a>
          </p>
        )}
      </div>
    );
  }
  return state?.presence === 'absent' ? <p class="notice info">{texts.t('object.gone')}</p> : null;
}

const MANY_FIELDS = 6;

function Now({ visit, object, present }: Timeline): JSX.Element | null {
  const { state } = present;
  if (!state || !object.registration || state.presence !== 'there') return null;
  const seen: SeenState = seenState(visit, object.registration, state);
  return (
    <details class="panel" open={seen.fields.length <= MANY_FIELDS}>
      <summary>{visit.texts.tn('object.nowFields', seen.fields.length)}</summary>
      <StateFacts visit={visit} state={seen} />
    </details>
  );
}

function FieldFilter({ visit, object, field }: Timeline): JSX.Element | null {
  const { texts, urls } = visit;
  const names = fieldNames(visit, object, field);
  if (names.length === 0) return null;
  return (
    <GetForm to={urls.object(object.model, object.pk)} own={['field']} class="filters">
      <label>
        {texts.t('object.field')}
        <select name="field">
          <option value="">{texts.t('object.anyField')}</option>
          {names.map((name) => (
            <option key={name} value={name} selected={name === field}>
              {fieldOf(visit, object.model, name).label}
            </option>
          ))}
        </select>
      </label>
      <button>{texts.t('object.filter')}</button>
    </GetForm>
  );
}

function AsOf({ visit, object }: Timeline): JSX.Element | null {
  const { texts, urls, clock } = visit;
  if (!object.registration) return null;
  return (
    <GetForm to={urls.at(object.model, object.pk)} own={['t']} class="filters">
      <label>
        {texts.t('object.atTime', { zone: clock.zone })}
        <input type="datetime-local" name="t" step="1" required data-instant="" />
      </label>
      <button>{texts.t('object.show')}</button>
    </GetForm>
  );
}

function AtVersion({ visit, object, entries }: Timeline): JSX.Element | null {
  const { texts, urls, clock } = visit;
  const versions = entries.filter(isCaptured);
  if (!object.registration || versions.length === 0) return null;
  return (
    <GetForm to={urls.at(object.model, object.pk)} own={['entry']} class="filters">
      <label>
        {texts.t('object.atVersion')}
        <select name="entry">
          {versions.map(({ id, timestamp, action }) => (
            <option key={id} value={id}>
              {`${clock.full(timestamp)} · ${action}`}
            </option>
          ))}
        </select>
      </label>
      <button>{texts.t('object.show')}</button>
    </GetForm>
  );
}

function Entries(props: Timeline): JSX.Element {
  const { visit, object, entries, options, present, field } = props;
  const { texts, urls } = visit;
  const list = <VersionList visit={visit} entries={entries} options={options} />;
  if (entries.length === 0)
    return <p class="empty">{texts.t(field === '' ? 'object.unrecorded' : 'object.noEntries')}</p>;
  if (!options.hasStates || !entries.some(isCaptured)) return list;
  return (
    <GetForm to={urls.diff(object.model, object.pk)} class="keep" data-pick-two>
      <p class="toolbar">
        {present.state?.presence === 'there' && (
          <label class="choice">
            <input type="checkbox" name="pick" value={CURRENT} /> {texts.t('object.pickNow')}
          </label>
        )}
        <button data-pick-go>{texts.t('object.compare')}</button>
        <span class="hint">{texts.t('object.compareHint')}</span>
      </p>
      {list}
    </GetForm>
  );
}

function Notes({ visit, object, entries }: Timeline): JSX.Element | null {
  const { texts, access } = visit;
  const { registration, model } = object;
  if (!registration) return <p class="hint">{texts.t('object.unregistered', { model })}</p>;
  const reasons = [...hiddenReasons(registration)].filter(([name]) => access.sees(model, name));
  const labels = (reason: string): string =>
    reasons
      .filter(([, why]) => why === reason)
      .map(([name]) => fieldOf(visit, model, name).label)
      .join(', ');
  const [masked, excluded] = [labels('masked'), labels('excluded')];
  const lives = entries.filter(({ action }) => action === 'create').length;
  return (
    <div class="hint">
      {masked !== '' && <p>{texts.t('object.masked', { fields: masked })}</p>}
      {excluded !== '' && <p>{texts.t('object.excluded', { fields: excluded })}</p>}
      {!registration.options.snapshots && <p>{texts.t('object.noVersions', { model })}</p>}
      {lives > 1 && <p>{texts.t('object.oldKey')}</p>}
    </div>
  );
}

/** What the form that led here did. Said only where the entry is there to prove it. */
function Done({ visit, entries }: Timeline): JSX.Element | null {
  const reverted = visit.query.get('reverted');
  if (reverted === 'nothing') return <p class="notice info">{visit.texts.t('object.unchanged')}</p>;
  const id = idOf(reverted ?? '');
  const isDone = entries.some((each) => each.id === id && 'revertedTo' in (each.additionalData ?? {}));
  return isDone ? <p class="notice done">{visit.texts.t('object.reverted')}</p> : null;
}

function Head({ visit, object, name }: Timeline): ComponentChild {
  const host = hostLink(visit, object.model, object.pk);
  return (
    <div class="page-head">
      <div>
        <p class="crumbs">
          <a href={visit.urls.feed({ model: object.model })}>{object.model}</a> {object.pk}
        </p>
        <h1>{visit.texts.t('object.title', { name })}</h1>
      </div>
      {host !== null && (
        <p class="actions">
          <a class="button" href={host}>
            {visit.texts.t('object.host')}
          </a>
        </p>
      )}
    </div>
  );
}

function Page(props: Timeline): JSX.Element {
  const { visit, object, list, field, name } = props;
  const { texts, urls } = visit;
  const page = (cursor: string | null): string | null =>
    cursor === null ? null : urls.object(object.model, object.pk, { field: field || null, cursor });
  return (
    <Layout visit={visit} title={texts.t('object.title', { name })}>
      <Head {...props} />
      <Done {...props} />
      <Status {...props} />
      <Now {...props} />
      <div class="toolbar">
        <FieldFilter {...props} />
        <AsOf {...props} />
        <AtVersion {...props} />
      </div>
      <h2>{texts.t('object.entries')}</h2>
      <Entries {...props} />
      <Pager
        visit={visit}
        prev={page(list.prev)}
        next={page(list.next)}
        first={urls.object(object.model, object.pk, { field: field || null })}
      />
      <Notes {...props} />
    </Layout>
  );
}

/** Everything that happened to one object, newest first. */
export async function objectPage(visit: Visit): Promise<Answer> {
  const object = await requestedObject(visit);
  const { model, pk } = object;
  const mayRevert = visit.canRevert && (await visit.access.may({ action: 'revert', model, pk }));
  if ((visit.query.get('field') ?? '').length > 200)
    throw new WebProblem(400, 'Wrong parameter', { detail: 'field is too long.', parameter: 'field' });
  const { props, newest } = await readTimeline(visit, object, mayRevert);
  const subject = { model, objectPk: pk, objectRepr: newest?.objectRepr ?? `${model} ${pk}` };
  return viewing(visit, subject, () => html(<Page {...props} />));
}
