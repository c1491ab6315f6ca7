import type { ComponentChild, JSX } from 'preact';
import type { Transaction } from 'sequelize';
import { lifeOf, linkedNames, linksThen, linksWholeSince, entryNotAfter } from '../../past/links-at';
import { stateOf, type ObjectState } from '../../past/state';
import { timeText } from '../../schema/exact-time';
import type { LogEntry } from '../../schema/log-entry';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { notFound } from '../access';
import { html, type Answer } from '../answers';
import {
  CAPTURED,
  nameOf,
  newestSeen,
  objectWhere,
  requestedRegistered,
  type RegisteredObject,
} from '../audited-object';
import { LinkList } from '../parts/changes';
import { fieldOf } from '../parts/fields';
import { GetForm } from '../parts/get-form';
import { Layout } from '../parts/layout';
import { Moment } from '../parts/moment';
import { seenState, StateTable } from '../parts/state-table';
import { CURRENT, isStateSeen, pointOf, type Point } from '../points';
import { viewing } from '../record-view';
import { WebProblem } from '../problem';
import { shownLinks } from '../shown-links';
import type { Visit } from '../visit';

/** Versions on either side of the time that the page offers; others are found on the timeline. */
const BESIDE = 100;

type Links = ReturnType<typeof linksThen>;

interface AtPage {
  readonly visit: Visit;
  readonly object: RegisteredObject;
  readonly name: string;
  readonly point: Point;
  readonly past: ObjectState;
  /** Null when it is not the visitor's to see. */
  readonly now: ObjectState | null;
  /** Null where they were pruned. */
  readonly links: Links | null;
  /** Changes up to the time, newest first, and after it, oldest first. */
  readonly before: readonly LogEntry[];
  readonly after: readonly LogEntry[];
  readonly mayRevert: boolean;
}

/** The point that the address asks for: an entry, a version, or a time. */
function asked(visit: Visit): { text: string; parameter: string } {
  const { query } = visit;
  for (const parameter of ['entry', 'version', 't']) {
    const text = query.get(parameter)?.trim() ?? '';
    if (text === '') continue;
    if (parameter !== 't' && !/^\d+$/.test(text))
      throw new WebProblem(400, 'Wrong parameter', { detail: `${parameter} must be an id.`, parameter });
    return { text: parameter === 'version' ? `version:${text}` : text, parameter };
  }
  throw new WebProblem(400, 'Wrong parameter', {
    detail: 'Say which time: t, the id of an entry, or that of a version.',
    parameter: 't',
  });
}

/** The changes on one side of the point, nearest first. */
function beside(
  visit: Visit,
  object: RegisteredObject,
  { when }: Point,
  isBefore: boolean,
  transaction: Transaction,
): Promise<LogEntry[]> {
  const { LogEntry, sequelize } = visit.web.settings;
  const { Op, literal } = runtimeOf(sequelize);
  const side = entryNotAfter('auditRouter', when);
  const where = {
    action: [...CAPTURED],
    [Op.and]: [literal(isBefore ? `(${side})` : `not (${side})`)],
  };
  return LogEntry.findAll({
    attributes: ['id', 'timestamp', 'action', 'actorId', 'actorLabel', 'model', 'objectPk', 'objectRepr'],
    where: objectWhere(visit, object, where),
    order: [['id', isBefore ? 'DESC' : 'ASC']],
    limit: BESIDE,
    transaction,
  });
}

async function readLinks(
  visit: Visit,
  { registration, key }: RegisteredObject,
  { when }: Point,
  transaction: Transaction,
): Promise<Links | null> {
  const { settings } = visit.web;
  if (linkedNames(registration).length === 0) return [];
  const life = await lifeOf(settings, registration, key, [when], transaction);
  const since = await linksWholeSince(settings, registration, [when], transaction);
  return since === null ? linksThen(registration, life, 0) : null;
}

async function readPage(visit: Visit, object: RegisteredObject, mayRevert: boolean): Promise<AtPage> {
  const { text, parameter } = asked(visit);
  const { settings, snapshots } = visit.web;
  return visit.read(async (transaction) => {
    const point = await pointOf(visit, object, text, parameter, transaction);
    if (point.when === CURRENT)
      throw new WebProblem(400, 'Wrong parameter', { detail: 'The present has no time.', parameter });
    const before = await beside(visit, object, point, true, transaction);
    const after = await beside(visit, object, point, false, transaction);
    if (before.length + after.length === 0) await newestSeen(visit, object, transaction);
    if (!(await isStateSeen(visit, object, point, transaction))) throw notFound();
    const stateAt = (when: Point['when']): Promise<ObjectState> =>
      stateOf(settings, snapshots, object.registration, object.key, when, { transaction });
    const past = await stateAt(point.when);
    const isNowSeen = await isStateSeen(visit, object, { when: CURRENT, entry: null }, transaction);
    return {
      visit,
      object,
      name: nameOf(visit, object, before[0] ?? after[0] ?? null),
      point,
      past,
      now: isNowSeen ? await stateAt(CURRENT) : null,
      links: past.presence === 'there' ? await readLinks(visit, object, point, transaction) : [],
      before,
      after,
      mayRevert,
    };
  });
}

/** As the JSON API answers: not known 422, deleted by past 410, never there 404. */
function statusOf({ past, before }: AtPage): number {
  if (past.presence === 'there') return 200;
  if (past.presence === 'unknown') return 422;
  return before[0]?.action === 'delete' ? 410 : 404;
}

function label({ clock, texts }: Visit, { timestamp, action, actorId, actorLabel }: LogEntry): string {
  return `${clock.full(timeText(timestamp))} · ${actorLabel ?? actorId ?? texts.t('actor.system')} · ${action}`;
}

function Versions({ visit, object, before, after }: AtPage): JSX.Element | null {
  const { texts, urls } = visit;
  const versions = [...after.toReversed(), ...before];
  const [chosen] = before;
  if (versions.length === 0) return null;
  return (
    <GetForm to={urls.at(object.model, object.pk)} own={['entry']} class="panel">
      <div class="filters">
        <label>
          {texts.t('at.versions')}
          <select name="entry" data-slider>
            {versions.map((entry) => (
              <option key={entry.id} value={entry.id} selected={entry.id === chosen?.id}>
                {label(visit, entry)}
              </option>
            ))}
          </select>
        </label>
        <button>{texts.t('at.go')}</button>
      </div>
      <div data-slider-place />
    </GetForm>
  );
}

/** As a field for date and time takes it. */
function localText(zone: string, at: string): string {
  const options = { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' } as const;
  return new Intl.DateTimeFormat('sv-SE', options).format(new Date(at)).replace(' ', 'T');
}

function AtTime({ visit, object, point }: AtPage): JSX.Element {
  const { texts, urls, clock } = visit;
  return (
    <GetForm to={urls.at(object.model, object.pk)} own={['t']} class="filters">
      <label>
        {texts.t('object.atTime', { zone: clock.zone })}
        <input
          type="datetime-local"
          name="t"
          step="1"
          required
          value={localText(clock.zone, point.at!)}
          data-instant={point.at!}
        />
      </label>
      <button>{texts.t('object.show')}</button>
    </GetForm>
  );
}

/** Links to the version before this one and the one after it, and to what can be done with it. */
function Ways({ visit, object, point, before, after, past, mayRevert }: AtPage): JSX.Element {
  const { texts, urls } = visit;
  const { model, pk } = object;
  const [previous, next] = [before[1], after[0]];
  return (
    <nav class="toolbar" aria-label={texts.t('at.versions')} data-swap="ways">
      {previous && (
        <a class="button" rel="prev" href={urls.at(model, pk, { entry: previous.id })}>
          {texts.t('at.previous')}
        </a>
      )}
      {next && (
        <a class="button" rel="next" href={urls.at(model, pk, { entry: next.id })}>
          {texts.t('at.next')}
        </a>
      )}
      {past.presence === 'there' && (
        <a href={urls.diff(model, pk, { from: point.text, to: CURRENT })}>{texts.t('at.compare')}</a>
      )}
      {past.presence === 'there' && mayRevert && (
        <a class="revert" href={urls.revert(model, pk, { to: point.text })}>
          {texts.t('at.revert')}
        </a>
      )}
      <a href={urls.object(model, pk)}>{texts.t('at.timeline')}</a>
    </nav>
  );
}

/** What is said where there is no state to show. */
function Missing(props: AtPage): JSX.Element {
  const { visit, past } = props;
  const { texts } = visit;
  const status = statusOf(props);
  if (status !== 422) return <p class="notice info">{texts.t(status === 410 ? 'at.gone' : 'at.absent')}</p>;
  const text: ComponentChild =
    past.since === null
      ? texts.t('at.unknownNever')
      : texts.rich('at.unknown', { since: <Moment visit={visit} at={past.since} bare /> });
  return <p class="notice info">{text}</p>;
}

function LinksThen({ visit, object, links }: AtPage): JSX.Element | null {
  if (links === null) return <p class="notice info">{visit.texts.t('at.linksUnknown')}</p>;
  const shown = shownLinks(
    visit,
    object.model,
    links.map(({ attribute, links: added }) => ({ attribute, added, removed: [] })),
  );
  if (shown.length === 0) return null;
  return (
    <>
      <h2>{visit.texts.t('at.links')}</h2>
      <dl class="facts">
        {shown.map(([attribute, { added }]) => (
          <>
            <dt>{fieldOf(visit, object.model, attribute).label}</dt>
            <dd>
              {added.length === 0 ? (
                <span class="muted">{visit.texts.t('models.none')}</span>
              ) : (
                <LinkList visit={visit} links={added} limit={Number.MAX_SAFE_INTEGER} />
              )}
            </dd>
          </>
        ))}
      </dl>
    </>
  );
}

function State(props: AtPage): JSX.Element {
  const { visit, object, past, now } = props;
  const { registration } = object;
  if (past.presence !== 'there') return <Missing {...props} />;
  const { deletedAt } = registration.tracked;
  const isDeleted = deletedAt !== null && (past.values[deletedAt.attribute] ?? null) !== null;
  const live = now?.presence === 'there' ? seenState(visit, registration, now) : null;
  return (
    <>
      {isDeleted && <p class="notice warn">{visit.texts.t('at.softDeleted')}</p>}
      {now?.presence === 'absent' && <p class="notice info">{visit.texts.t('at.deletedNow')}</p>}
      <StateTable visit={visit} past={seenState(visit, registration, past)} now={live} />
      <LinksThen {...props} />
    </>
  );
}

function Right({ visit, before: [entry] }: AtPage): JSX.Element {
  const { texts, urls } = visit;
  if (!entry) return <p class="lead">{texts.t('at.none')}</p>;
  const link = <a href={urls.entry(entry.id)}>{label(visit, entry)}</a>;
  return <p class="lead">{texts.rich('at.right', { entry: link })}</p>;
}

function Page(props: AtPage): JSX.Element {
  const { visit, object, name, point } = props;
  const { texts, urls, clock } = visit;
  const when = clock.full(point.at!);
  return (
    <Layout visit={visit} title={texts.t('at.title', { name, when })}>
      <div data-swap="head">
        <p class="crumbs">
          <a href={urls.object(object.model, object.pk)}>{name}</a>
        </p>
        <h1>{texts.rich('at.title', { name, when: <Moment visit={visit} at={point.at!} bare /> })}</h1>
        <Right {...props} />
      </div>
      <Versions {...props} />
      <Ways {...props} />
      <div data-swap="state">
        <State {...props} />
        <AtTime {...props} />
      </div>
    </Layout>
  );
}

/** One object as it was. */
export async function atPage(visit: Visit): Promise<Answer> {
  const object = await requestedRegistered(visit);
  const { model, pk } = object;
  const mayRevert = visit.canRevert && (await visit.access.may({ action: 'revert', model, pk }));
  const props = await readPage(visit, object, mayRevert);
  const objectRepr = (props.before[0] ?? props.after[0])?.objectRepr ?? `${model} ${pk}`;
  return viewing(visit, { model, objectPk: pk, objectRepr }, () =>
    html(<Page {...props} />, statusOf(props)),
  );
}
