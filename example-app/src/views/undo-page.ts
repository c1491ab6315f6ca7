import type { auditLog } from '../audit';
import type { FieldErrors } from '../shop-error';
import type { Entry } from '../services/order-past';
import { field, type Values } from './fields';
import { plural, time } from './format';
import { html, type Content, type Html } from './html';
import type { Page } from './layout';

type Plan = Awaited<ReturnType<typeof auditLog.revertRequest>>;
type Change = Plan['changes'][number];
type Value = Change['changes'][number];

export interface Undo {
  readonly correlationId: string;
  /** The first change that is undone. */
  readonly first: Entry;
  readonly plan: Plan;
}

interface Form {
  readonly values?: Values;
  readonly errors?: FieldErrors;
}

/** For what a job did, which is more than one change and seldom one transaction. */
export const undoLink = ({ actorType, correlationId }: Entry): Content =>
  actorType === 'job' &&
  correlationId &&
  html`<span class="around"><a href="/requests/${encodeURIComponent(correlationId)}/undo">Undo…</a></span>`;

const WHAT = { create: 'comes back', update: 'is changed back', delete: 'is deleted' } as const;

export function undoPage({ first, plan }: Undo, form: Form = {}): Page {
  const title = 'Undo';
  const body = html`<p class="crumbs"><a href="/">Home</a></p>
    <h1>Undo what ${first.actorLabel ?? 'system'} did</h1>
    <p>
      ${time(first.timestamp)}${first.reason && html`, ${first.reason}`}:
      ${plural(plan.changes.length, 'object')} would be set back. Either all of it is undone or nothing.
    </p>
    ${plan.changes.length > 0 && table(plan.changes)}
    ${plan.obstacles.length > 0 ? obstacles(plan) : reason(form)}`;
  return { title, body };
}

function table(changes: readonly Change[]): Html {
  return html`<table class="compare stack">
    <caption class="hidden">
      What is undone
    </caption>
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">It set</th>
        <th scope="col">Goes back to</th>
      </tr>
    </thead>
    <tbody>
      ${changes.map(row)}
    </tbody>
  </table>`;
}

function row({ objectRepr, model, objectPk, action, changes }: Change): Html {
  return html`<tr>
    <th scope="row">${objectRepr ?? `${model} ${objectPk}`}<small>${WHAT[action]}</small></th>
    <td data-label="It set">${values(changes, ({ now }) => now, 'del')}</td>
    <td data-label="Back to">${values(changes, ({ after }) => after, 'ins')}</td>
  </tr>`;
}

function values(changes: readonly Value[], of: (value: Value) => unknown, tag: 'del' | 'ins'): Html {
  return html`<dl class="changes">
    ${changes
      .filter((change) => of(change) !== null)
      .map(
        (change) =>
          html`<div>
            <dt>${change.attribute}</dt>
            <dd>${marked(textOf(of(change)), tag)}</dd>
          </div>`,
      )}
  </dl>`;
}

const marked = (text: string, tag: 'del' | 'ins'): Html =>
  tag === 'del' ? html`<del>${text}</del>` : html`<ins>${text}</ins>`;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function obstacles(plan: Plan): Content {
  return html`<p class="error" role="alert">It can’t be undone any more:</p>
    <ul>
      ${plan.obstacles.map(({ model, objectPk, why }) => html`<li>${model} ${objectPk}: ${why}</li>`)}
    </ul>`;
}

const reason = ({ values: entered = {}, errors = {} }: Form): Html =>
  html`<form class="card" method="post">
    ${field({ name: 'reason', label: 'Why?', required: true }, entered, errors)}
    <div class="actions"><button class="primary">Undo</button> <a class="button" href="/">Leave it</a></div>
  </form>`;
