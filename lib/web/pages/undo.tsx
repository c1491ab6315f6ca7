import type { JSX } from 'preact';
import { isAuditError } from '../../core/errors';
import type { Changes as EntryChanges } from '../../core/types';
import { isLinkChange } from '../../history/display';
import type { UndoneObject, UndoResult } from '../../revert/undo';
import type { UndoObstacle } from '../../revert/undo-plan';
import type { LogEntry } from '../../schema/log-entry';
import { forbidden, notFound } from '../access';
import { html, redirect, type Answer } from '../answers';
import type { EntryView } from '../entry-view';
import { fieldLabel } from '../field-label';
import type { MessageKey } from '../messages';
import { Changes } from '../parts/changes';
import { shownObstacle, type ShownObstacle } from '../obstacles';
import { Layout } from '../parts/layout';
import { ObjectLink } from '../parts/links';
import { ObstacleItem } from '../parts/obstacles';
import { UndoForm } from '../parts/undo-form';
import { WebProblem } from '../problem';
import { reasonOf } from '../reason';
import {
  MAX_UNDONE,
  PermittedUndo,
  readUndoable,
  requestOf,
  targetUrl,
  targetWhere,
  transactionOf,
  type Undoable,
  type UndoTarget,
} from '../undo';
import type { Visit } from '../visit';
import { visibleWhere } from '../visible';

interface PreviewProps {
  readonly visit: Visit;
  readonly target: UndoTarget;
  readonly undoable: Undoable;
  readonly result: UndoResult;
  readonly reason: string;
}

const NO_ENTRY = {
  id: '',
  timestamp: '',
  actorId: null,
  actorLabel: null,
  actorType: null,
  remoteAddr: null,
  remotePort: null,
  correlationId: null,
  request: null,
  transactionId: null,
  reason: null,
  additionalData: null,
} as const;

/** What is done to an object, as one visitor may see it: hidden like the changes of entries. */
function viewOf({ entries }: Visit, { changes, ...object }: UndoneObject): EntryView {
  const values = changes.map(({ attribute, now, after }) => [attribute, [now, after]] as const);
  return entries.view({ ...NO_ENTRY, ...object, changes: Object.fromEntries(values) as EntryChanges });
}

/** Links that come and go the other way round. */
function linksView({ entries }: Visit, { model, objectPk, objectRepr, changes }: LogEntry): EntryView | null {
  const links = Object.entries(changes ?? {}).flatMap(([name, change]) =>
    isLinkChange(change)
      ? [[name, { ...change, added: change.removed, removed: change.added }] as const]
      : [],
  );
  const undone = Object.fromEntries(links);
  if (links.length === 0) return null;
  return entries.view({ ...NO_ENTRY, action: 'update', model, objectPk, objectRepr, changes: undone });
}

function undoneViews({ visit, undoable, result }: PreviewProps): EntryView[] {
  const links = undoable.entries.map((entry) => linksView(visit, entry)).filter((each) => each !== null);
  return [...result.changes.map((each) => viewOf(visit, each)), ...links];
}

function Undone({
  visit,
  views,
}: {
  readonly visit: Visit;
  readonly views: readonly EntryView[];
}): JSX.Element[] {
  return views.map((view, index) => (
    <section key={index} class="panel">
      <h3>
        {visit.texts.rich(`undo.${view.action}` as MessageKey, {
          object: <ObjectLink visit={visit} entry={view} />,
        })}
      </h3>
      <Changes visit={visit} entry={view} />
    </section>
  ));
}

/** The object as it was called by what is undone. */
function named({ visit, undoable }: PreviewProps, model: string, objectPk: string): JSX.Element {
  const found = undoable.entries.find((each) => each.model === model && each.objectPk === objectPk);
  const objectRepr = found ? visit.entries.view(found).objectRepr : null;
  return <ObjectLink visit={visit} entry={{ model, objectPk, objectRepr }} />;
}

/** What the library says names the field already. */
function shownHere(visit: Visit, obstacle: UndoObstacle): ShownObstacle {
  const shown = shownObstacle(visit, obstacle.model, obstacle);
  return obstacle.sqlState === undefined ? { ...shown, field: null } : shown;
}

function Obstacles(props: PreviewProps): JSX.Element {
  const { visit, result } = props;
  return (
    <div class="notice error" role="alert">
      <p>{visit.texts.t('undo.obstacles')}</p>
      <ul>
        {result.obstacles.map((each, index) => (
          <ObstacleItem
            key={index}
            visit={visit}
            obstacle={shownHere(visit, each)}
            object={each.objectPk === null ? each.model : named(props, each.model!, each.objectPk)}
          />
        ))}
      </ul>
    </div>
  );
}

function Skipped(props: PreviewProps): JSX.Element | null {
  const { visit, result } = props;
  const { texts, web, access } = visit;
  const seen = result.skipped.filter(({ model, attribute }) => access.sees(model, attribute));
  if (seen.length === 0) return null;
  return (
    <div class="notice warn">
      <p>{texts.t('undo.skipped')}</p>
      <ul>
        {seen.map(({ model, objectPk, attribute, why }, index) => (
          <li key={index}>
            {texts.rich('undo.skip', {
              object: named(props, model, objectPk),
              field: fieldLabel(web.settings.registry.findByName(model), attribute),
              why,
            })}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Preview(props: PreviewProps): JSX.Element {
  const { visit, target, result, reason } = props;
  const { texts } = visit;
  const what = texts.t(`undo.${target.kind}`, { id: target.id });
  const title = texts.t('undo.previewTitle', { what });
  const views = undoneViews(props);
  const isPossible = result.obstacles.length === 0 && views.length > 0;
  return (
    <Layout visit={visit} title={title} current="activity">
      <p class="crumbs">
        <a href={targetUrl(visit, target)}>{what}</a>
      </p>
      <h1>{title}</h1>
      {result.obstacles.length > 0 && <Obstacles {...props} />}
      <Skipped {...props} />
      <h2>{texts.t('undo.would')}</h2>
      {views.length === 0 && <p class="empty">{texts.t('undo.nothing')}</p>}
      <Undone visit={visit} views={views} />
      {isPossible && <UndoForm visit={visit} action={targetUrl(visit, target)} reason={reason} isPreviewed />}
    </Layout>
  );
}

/** Whether the visitor sees anything of it at all: what is invisible is not there. */
async function isVisible(visit: Visit, target: UndoTarget, models: readonly string[]): Promise<boolean> {
  const where = visibleWhere(visit, models, targetWhere(target));
  const found = await visit.read((transaction) =>
    visit.web.settings.LogEntry.findOne({ attributes: ['id'], where, transaction }),
  );
  return found !== null;
}

function givenReason(visit: Visit): string {
  const reason = reasonOf(visit);
  if (reason !== '') return reason;
  throw new WebProblem(400, 'Reason missing', {
    detail: visit.texts.t('undo.reasonMissing'),
    parameter: 'reason',
  });
}

/** Nothing was done: what stands against it is told with the names of the objects. */
function isRefusal(error: unknown): boolean {
  return isAuditError(error) && ['ERR_AUDIT_CONFLICT', 'ERR_AUDIT_NOT_RESTORABLE'].includes(error.code);
}

async function undo(visit: Visit, target: UndoTarget | null): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  if (!target || !(await isVisible(visit, target, models))) throw notFound();
  if (!visit.canRevert) throw forbidden();
  const undoable = await visit.read((transaction) => readUndoable(visit, target, transaction, true));
  if (undoable.isTooMuch) throw tooMuch(visit);
  const permitted = await PermittedUndo.ask(visit, target, undoable);
  const reason = givenReason(visit);
  const preview = async (status: number): Promise<Answer> => {
    const result = await permitted.preview();
    const props = { visit, target, undoable, result, reason };
    return html(<Preview {...props} />, status);
  };
  if (visit.field('preview') !== null) return preview(200);
  try {
    const { transactionId, entries } = await permitted.run(reason);
    const by = entries.length > 0 && transactionId !== null ? { undone: transactionId } : {};
    return redirect(targetUrl(visit, target, by));
  } catch (error) {
    if (isRefusal(error)) return preview(409);
    throw error;
  }
}

function tooMuch({ texts }: Visit): WebProblem {
  return new WebProblem(409, 'Too much to undo', {
    detail: texts.t('undo.tooMuch', { n: texts.number(MAX_UNDONE) }),
  });
}

/** Undoes what one transaction did. */
export async function undoTransaction(visit: Visit): Promise<Answer> {
  return undo(visit, transactionOf(visit));
}

/** Undoes what one request did. */
export async function undoRequest(visit: Visit): Promise<Answer> {
  return undo(visit, requestOf(visit));
}
