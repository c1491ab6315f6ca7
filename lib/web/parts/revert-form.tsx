import type { ComponentChild, JSX } from 'preact';
import type { JsonValue, LinkedObject } from '../../core/types';
import type { LinkDiff } from '../../past/links-at';
import type { AttributeRevert } from '../../revert/plan';
import type { RevertResult } from '../../revert/revert';
import { shownObstacle, skippedWhy } from '../obstacles';
import type { RevertSubject } from '../reverting';
import { shownLinks } from '../shown-links';
import type { Visit } from '../visit';
import { LinkList } from './changes';
import { fieldOf, type Field } from './fields';
import { PostForm } from './layout';
import { jsonOf, whyText } from './state-table';
import { ObstacleItem } from './obstacles';
import { pairOf } from './value';

/** A preview as a page shows it. */
export interface RevertPreview {
  readonly visit: Visit;
  readonly subject: RevertSubject;
  readonly plan: RevertResult;
  /** Names that are ticked. */
  readonly chosen: ReadonlySet<string>;
  readonly reason: string;
  /** What the last attempt lacked. */
  readonly complaint: string | null;
  /** Whether the object comes back. */
  readonly isRestore: boolean;
}

interface Row {
  readonly field: Field;
  readonly now: ComponentChild;
  readonly past: ComponentChild;
}

function isLinks(change: AttributeRevert | LinkDiff): change is LinkDiff {
  return 'added' in change;
}

/** What the visitor sees of the changes, and so may choose. */
export function offered({ access }: Visit, { object }: RevertSubject, { changes }: RevertResult): string[] {
  return changes.map(({ attribute }) => attribute).filter((name) => access.sees(object.model, name));
}

const PREVIEW = 400;

function valueRow(visit: Visit, model: string, { attribute, now, after }: AttributeRevert): Row {
  const field = fieldOf(visit, model, attribute);
  const values: readonly [JsonValue, JsonValue] = [jsonOf(now), jsonOf(after)];
  const [shownNow, shownThen] = pairOf({ visit, field, values, limit: PREVIEW });
  return { field, now: shownNow, past: shownThen };
}

/** Links that only one of the two times has; those that both have are no matter. */
function Only({
  visit,
  links,
  as: Tag,
}: {
  readonly visit: Visit;
  readonly links: readonly LinkedObject[];
  readonly as: 'ins' | 'del';
}): JSX.Element {
  if (links.length === 0) return <span class="muted">{visit.texts.t('revert.noLinks')}</span>;
  return <LinkList visit={visit} links={links} limit={PREVIEW} as={Tag} />;
}

function linkRow(visit: Visit, model: string, diff: LinkDiff): Row[] {
  return shownLinks(visit, model, [diff]).map(([name, { added, removed }]) => ({
    field: fieldOf(visit, model, name),
    now: <Only visit={visit} links={removed} as="del" />,
    past: <Only visit={visit} links={added} as="ins" />,
  }));
}

function rowsOf({ visit, subject, plan }: RevertPreview): Row[] {
  const { model } = subject.object;
  const seen = plan.changes.filter(({ attribute }) => visit.access.sees(model, attribute));
  return seen.flatMap((change) =>
    isLinks(change) ? linkRow(visit, model, change) : [valueRow(visit, model, change)],
  );
}

/** The key names the object that comes back: it is no matter of choice. */
function isKey({ subject: { object } }: RevertPreview, { name }: Field): boolean {
  return object.registration.tracked.keys.some(({ attribute }) => attribute === name);
}

function PreviewRow({ preview, row }: { readonly preview: RevertPreview; readonly row: Row }): JSX.Element {
  const { visit, chosen, isRestore } = preview;
  const { texts } = visit;
  const id = `only-${row.field.name}`;
  const isChosen = chosen.has(row.field.name) || isKey(preview, row.field);
  return (
    <tr>
      <td data-label={texts.t('revert.pick')}>
        <input
          id={id}
          type={isKey(preview, row.field) ? 'hidden' : 'checkbox'}
          name="only"
          value={row.field.name}
          checked={chosen.has(row.field.name)}
        />
      </td>
      <th scope="row">
        {isKey(preview, row.field) ? row.field.label : <label for={id}>{row.field.label}</label>}
      </th>
      <td data-label={texts.t('revert.now')}>
        {isRestore ? <span class="muted">{texts.t('revert.absent')}</span> : row.now}
      </td>
      <td data-label={texts.t('revert.after')}>
        {isChosen ? row.past : <span class="muted">{texts.t('revert.unchanged')}</span>}
      </td>
      <td data-label={texts.t('revert.then')}>{row.past}</td>
    </tr>
  );
}

function Table({
  preview,
  rows,
}: {
  readonly preview: RevertPreview;
  readonly rows: readonly Row[];
}): JSX.Element {
  const { texts } = preview.visit;
  const columns = ['pick', 'field', 'now', 'after', 'then'] as const;
  return (
    <div class="table-wrap">
      <table class="revert stack">
        <caption class="visually-hidden">{texts.t('revert.caption')}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name} scope="col">
                {texts.t(`revert.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <PreviewRow key={row.field.name} preview={preview} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Obstacles({ visit, subject, plan }: RevertPreview): JSX.Element | null {
  if (plan.obstacles.length === 0) return null;
  return (
    <div class="notice error">
      <p>{visit.texts.t('revert.obstacles')}</p>
      <ul>
        {plan.obstacles.map((each, index) => (
          <ObstacleItem
            key={index}
            visit={visit}
            obstacle={shownObstacle(visit, subject.object.model, each)}
          />
        ))}
      </ul>
    </div>
  );
}

function Skipped({ visit, subject, plan }: RevertPreview): JSX.Element | null {
  const { texts, access } = visit;
  const { model } = subject.object;
  const seen = plan.skipped.filter(({ attribute }) => access.sees(model, attribute));
  if (seen.length === 0) return null;
  return (
    <section class="panel">
      <h2>{texts.t('revert.skipped')}</h2>
      <ul>
        {seen.map((each, index) => (
          <li key={index}>
            {texts.t('revert.skip', {
              field: fieldOf(visit, model, each.attribute).label,
              why: whyText(visit, skippedWhy(visit, model, each)),
            })}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Form({
  preview,
  rows,
}: {
  readonly preview: RevertPreview;
  readonly rows: readonly Row[];
}): JSX.Element {
  const { visit, subject, reason, complaint, isRestore } = preview;
  const { texts, urls } = visit;
  const { object, point, expected } = subject;
  return (
    <PostForm visit={visit} action={urls.revert(object.model, object.pk)} class="revert-form keep">
      <input type="hidden" name="to" value={point.text} />
      <input type="hidden" name="expected" value={expected} />
      <Table preview={preview} rows={rows} />
      <div class="field-row">
        <label for="reason">{texts.t('revert.reason')}</label>
        <textarea
          id="reason"
          name="reason"
          required
          maxLength={2000}
          aria-describedby="reason-hint"
          aria-invalid={complaint === null ? undefined : 'true'}
        >
          {reason}
        </textarea>
        <span id="reason-hint" class="hint">
          {texts.t('revert.reasonHint')}
        </span>
      </div>
      <p class="actions">
        <button class="primary">{texts.t(isRestore ? 'revert.confirmRestore' : 'revert.confirm')}</button>
        <a class="button quiet" href={urls.object(object.model, object.pk)}>
          {texts.t('revert.cancel')}
        </a>
      </p>
    </PostForm>
  );
}

/** What a revert would do, with a box for each attribute, and the form that does it. */
export function RevertForm(preview: RevertPreview): JSX.Element {
  const { visit, plan, subject, complaint } = preview;
  const { texts } = visit;
  const rows = rowsOf(preview);
  const hasConcealed = visit.access.hidden(subject.object.model).length > 0;
  return (
    <>
      {complaint !== null && (
        <p class="notice error" role="alert">
          {complaint}
        </p>
      )}
      <Obstacles {...preview} />
      {rows.length > 0 ? (
        <Form preview={preview} rows={rows} />
      ) : (
        plan.obstacles.length === 0 && <p class="empty">{texts.t('revert.nothing')}</p>
      )}
      <Skipped {...preview} />
      {hasConcealed && <p class="hint">{texts.t('revert.concealed')}</p>}
    </>
  );
}
