import { createHash } from 'node:crypto';
import { Fragment, type JSX } from 'preact';
import type { Registration } from '../../capture/registry';
import type { JsonValue } from '../../core/types';
import { isSameValue } from '../../past/diff';
import type { ObjectState } from '../../past/state';
import { storedAttributes } from '../../schema/attributes';
import { timeText } from '../../schema/exact-time';
import type { MessageKey } from '../messages';
import type { Visit } from '../visit';
import { fieldOf, type Field, type Showing } from './fields';
import { Value } from './value';

/** A value as a model reads it, in the form in which entries hold values. */
export function jsonOf(value: unknown): JsonValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : timeText(value);
  if (Buffer.isBuffer(value))
    return { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'number' || typeof value === 'bigint')
    return Number.isFinite(value) ? (value as number) : String(value);
  if (typeof value !== 'object' || value === null) return (value as JsonValue | undefined) ?? null;
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

/** One attribute of a state. */
export interface StateField {
  readonly field: Field;
  /** As the model reads it; undefined when it is not known. */
  readonly raw: unknown;
  /** Why it is not known. */
  readonly why: string | null;
}

/** What of a state the visitor sees, in definition order, and how many attributes it doesn't. */
export interface SeenState {
  readonly fields: readonly StateField[];
  readonly concealed: number;
}

export function seenState(visit: Visit, registration: Registration, state: ObjectState): SeenState {
  const names = storedAttributes(registration.model).map(([name]) => name);
  const seen = names.filter((name) => visit.access.sees(registration.name, name));
  const fields = seen.map((name): StateField => {
    const why = Object.hasOwn(state.values, name) ? null : (state.unknown.get(name) ?? 'notRecorded');
    return {
      field: fieldOf(visit, registration.name, name),
      raw: why === 'masked' ? state.masks[name] : state.values[name],
      why: state.presence === 'there' ? why : null,
    };
  });
  return { fields, concealed: names.length - seen.length };
}

const REASONS = ['masked', 'excluded', 'digest', 'gap', 'notRecorded', 'dropped'];

/** Why a value is not known, or not put back, in the words of the pages. */
export function whyText({ texts }: Showing, why: string): string {
  return REASONS.includes(why) ? texts.t(`why.${why}` as MessageKey) : why;
}

export function Unknown({ visit, why }: { readonly visit: Showing; readonly why: string }): JSX.Element {
  return <span class="concealed">{whyText(visit, why)}</span>;
}

/** The value of a state's field, or why there is none. */
export function StateValue({
  visit,
  of: { field, raw, why },
  limit,
}: {
  readonly visit: Showing;
  readonly of: StateField;
  readonly limit?: number;
}): JSX.Element {
  if (why !== null && raw === undefined) return <Unknown visit={visit} why={why} />;
  return <Value visit={visit} field={field} value={jsonOf(raw)} {...(limit && { limit })} />;
}

/** A state as a list of facts. */
export function StateFacts({
  visit,
  state,
}: {
  readonly visit: Showing;
  readonly state: SeenState;
}): JSX.Element {
  return (
    <>
      <dl class="facts">
        {state.fields.map((each) => (
          <Fragment key={each.field.name}>
            <dt>{each.field.label}</dt>
            <dd>
              <StateValue visit={visit} of={each} />
            </dd>
          </Fragment>
        ))}
      </dl>
      <Concealed visit={visit} count={state.concealed} />
    </>
  );
}

export function Concealed({
  visit: { texts },
  count,
}: {
  readonly visit: Showing;
  readonly count: number;
}): JSX.Element | null {
  return count > 0 ? <p class="hint">{texts.tn('state.concealed', count)}</p> : null;
}

/** Whether a field differs in two states; null where one of them doesn't know. Of equal masks the values may differ. */
export function differs(past: StateField, now: StateField | undefined): boolean | null {
  if (!now) return null;
  const isDifferent = !isSameValue(past.raw, now.raw);
  if (past.why === null && now.why === null) return isDifferent;
  const areMasks = [past, now].every(({ raw, why }) => why === 'masked' && raw !== undefined);
  return areMasks && isDifferent ? true : null;
}

const WHOLE_STATE = 4000;

/** A state of the past in full; beside it what is different now. */
export function StateTable({
  visit,
  past,
  now,
}: {
  readonly visit: Visit;
  readonly past: SeenState;
  /** Null when the object is not there now, or its present is not the visitor's to see. */
  readonly now: SeenState | null;
}): JSX.Element {
  const { texts } = visit;
  const current = new Map(now?.fields.map((each) => [each.field.name, each]));
  const row = (each: StateField): JSX.Element => {
    const live = current.get(each.field.name);
    const isDifferent = differs(each, live);
    return (
      <tr key={each.field.name} class={isDifferent ? 'changed' : 'same'}>
        <th scope="row">{each.field.label}</th>
        <td data-label={texts.t('at.then')}>
          <StateValue visit={visit} of={each} limit={WHOLE_STATE} />
        </td>
        {now && (
          <td data-label={texts.t('at.now')}>
            {isDifferent && live ? (
              <StateValue visit={visit} of={live} limit={WHOLE_STATE} />
            ) : (
              <span class="muted">{texts.t(isDifferent === null ? 'at.notComparable' : 'at.same')}</span>
            )}
          </td>
        )}
      </tr>
    );
  };
  return (
    <>
      <div class="table-wrap">
        <table class="state stack">
          <caption class="visually-hidden">{texts.t('at.caption')}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.t('changes.field')}</th>
              <th scope="col">{texts.t('at.then')}</th>
              {now && <th scope="col">{texts.t('at.now')}</th>}
            </tr>
          </thead>
          <tbody>{past.fields.map(row)}</tbody>
        </table>
      </div>
      <Concealed visit={visit} count={past.concealed} />
    </>
  );
}
