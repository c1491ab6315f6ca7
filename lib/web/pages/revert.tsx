import type { JSX } from 'preact';
import type { RevertResult } from '../../revert/revert';
import type { LogEntry } from '../../schema/log-entry';
import { html, redirect, type Answer } from '../answers';
import { nameOf } from '../audited-object';
import { Layout } from '../parts/layout';
import { Moment } from '../parts/moment';
import { offered, RevertForm, type RevertPreview } from '../parts/revert-form';
import { Sentence } from '../parts/sentence';
import { idOf } from '../points';
import { WebProblem } from '../problem';
import { reasonOf } from '../reason';
import {
  attempt,
  changesSince,
  isConflict,
  readSubject,
  requestedForRevert,
  revertProblem,
  type RevertSubject,
} from '../reverting';
import type { Visit } from '../visit';

/** What the form sends. */
interface Wish {
  readonly only: readonly string[];
  readonly reason: string;
  readonly expected: string;
}

/** What the visitor asked for so far, and what was wrong with it. */
interface Draft {
  readonly chosen: readonly string[] | null;
  readonly reason: string;
  readonly complaint: string | null;
}

const FRESH: Draft = { chosen: null, reason: '', complaint: null };

/** Tries the revert; of what the visitor doesn't see nothing is tried. */
async function previewOf(visit: Visit, subject: RevertSubject): Promise<RevertResult> {
  const whole = await attempt(visit, subject, { dryRun: true });
  const only = offered(visit, subject, whole);
  if (only.length === whole.changes.length) return whole;
  if (only.length === 0) return { ...whole, changes: [], obstacles: [] };
  const plan = await attempt(visit, subject, { dryRun: true, only });
  return { ...plan, skipped: whole.skipped };
}

/** A row that is not there has no value now. */
function isRestore({ object }: RevertSubject, { changes }: RevertResult): boolean {
  const keys = object.registration.tracked.keys.map(({ attribute }) => attribute);
  return changes.some(({ attribute }) => keys.includes(attribute));
}

function Page(preview: RevertPreview): JSX.Element {
  const { visit, subject, isRestore: comesBack } = preview;
  const { texts, urls, clock } = visit;
  const { object, point, entry } = subject;
  const name = nameOf(visit, object, entry);
  const key = comesBack ? 'revert.restoreTitle' : 'revert.title';
  const at = point.at!;
  return (
    <Layout visit={visit} title={texts.t(key, { name, when: clock.full(at) })}>
      <p class="crumbs">
        <a href={urls.object(object.model, object.pk)}>{name}</a>
      </p>
      <h1>{texts.rich(key, { name, when: <Moment visit={visit} at={at} bare /> })}</h1>
      <p class="lead">{texts.t('revert.lead')}</p>
      <RevertForm {...preview} />
    </Layout>
  );
}

async function previewAnswer(
  visit: Visit,
  subject: RevertSubject,
  { chosen, reason, complaint }: Draft,
  status = 200,
): Promise<Answer> {
  const plan = await previewOf(visit, subject).catch((error: unknown) => {
    throw revertProblem(visit, error);
  });
  const props: RevertPreview = {
    visit,
    subject,
    plan,
    chosen: new Set(chosen ?? offered(visit, subject, plan)),
    reason,
    complaint,
    isRestore: isRestore(subject, plan),
  };
  return html(<Page {...props} />, status);
}

/** What would be put back. */
export async function revertPage(visit: Visit): Promise<Answer> {
  const object = await requestedForRevert(visit);
  return previewAnswer(visit, await readSubject(visit, object), FRESH);
}

/** One box gives a text, several a list. */
function chosenNames({ req }: Visit): string[] {
  const { only } = (req.body ?? {}) as { only?: unknown };
  const names: readonly unknown[] = Array.isArray(only) ? only : [only];
  return names.filter((name) => typeof name === 'string');
}

function wishOf(visit: Visit): Wish {
  const expected = idOf(visit.field('expected') ?? '');
  if (expected === null)
    throw new WebProblem(400, 'Wrong parameter', {
      detail: 'expected must be the id of the newest entry that was seen.',
      parameter: 'expected',
    });
  return { only: chosenNames(visit), reason: reasonOf(visit), expected };
}

/** Names that the visitor doesn't see are answered like names that don't exist. */
function checkNames({ access }: Visit, { object }: RevertSubject, names: readonly string[]): void {
  const { tracked, options } = object.registration;
  const known = [...tracked.columns.map(({ attribute }) => attribute), ...options.associations];
  const unknown = names.find((name) => !known.includes(name) || !access.sees(object.model, name));
  if (unknown === undefined) return;
  throw new WebProblem(400, 'Wrong parameter', {
    detail: `"${unknown.slice(0, 60)}" is no field that can be put back.`,
    parameter: 'only',
  });
}

function StalePage({
  visit,
  subject,
  since,
}: {
  readonly visit: Visit;
  readonly subject: RevertSubject;
  readonly since: readonly LogEntry[];
}): JSX.Element {
  const { texts, urls } = visit;
  const { object, point, entry } = subject;
  const name = nameOf(visit, object, entry);
  return (
    <Layout visit={visit} title={texts.t('revert.staleTitle')}>
      <h1>{texts.t('revert.staleTitle')}</h1>
      <p class="notice warn">{texts.t(since.length > 0 ? 'revert.stale' : 'revert.staleUnseen', { name })}</p>
      <ol class="versions">
        {since.map((each) => {
          const view = visit.entries.view(each);
          return (
            <li key={each.id}>
              <Sentence visit={visit} entry={view} />
              <p class="meta">
                <Moment visit={visit} at={view.timestamp} />
              </p>
            </li>
          );
        })}
      </ol>
      <p>
        <a class="button primary" href={urls.revert(object.model, object.pk, { to: point.text })}>
          {texts.t('revert.again')}
        </a>
      </p>
    </Layout>
  );
}

/** Page of what has changed since the visitor looked; null when nothing has. */
async function staleness(visit: Visit, subject: RevertSubject, seen: string): Promise<Answer | null> {
  const since = await changesSince(visit, subject, seen);
  return since && html(<StalePage visit={visit} subject={subject} since={since} />, 409);
}

function complaintOf({ texts }: Visit, { only, reason }: Wish): string | null {
  if (reason === '') return texts.t('revert.reasonMissing');
  return only.length === 0 ? texts.t('revert.noneChosen') : null;
}

/** A refusal: the object has changed since, or something stands in the way. */
async function refusal(visit: Visit, subject: RevertSubject, wish: Wish, error: unknown): Promise<Answer> {
  if (!isConflict(error)) throw revertProblem(visit, error);
  const fresh = await readSubject(visit, subject.object);
  const stale = await staleness(visit, fresh, wish.expected);
  if (stale) return stale;
  const complaint = visit.texts.t('revert.refused');
  return previewAnswer(visit, fresh, { chosen: wish.only, reason: wish.reason, complaint }, 409);
}

/** Puts it back. */
export async function revertAction(visit: Visit): Promise<Answer> {
  const object = await requestedForRevert(visit);
  const wish = wishOf(visit);
  const subject = await readSubject(visit, object);
  checkNames(visit, subject, wish.only);
  const stale = await staleness(visit, subject, wish.expected);
  if (stale) return stale;
  const complaint = complaintOf(visit, wish);
  if (complaint !== null)
    return previewAnswer(visit, subject, { chosen: wish.only, reason: wish.reason, complaint }, 400);
  try {
    const { entry } = await attempt(visit, subject, { ...wish, dryRun: false });
    return redirect(visit.urls.object(object.model, object.pk, { reverted: entry?.id ?? 'nothing' }));
  } catch (error) {
    return refusal(visit, subject, wish, error);
  }
}
