import type { FieldErrors } from '../shop-error';
import { html, type Html } from './html';

export type Values = Readonly<Record<string, unknown>>;

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: 'text' | 'email' | 'password' | 'textarea';
  readonly hint?: string;
  readonly rows?: number;
  readonly required?: boolean;
  readonly autocomplete?: string;
  readonly inputmode?: 'numeric' | 'decimal';
}

/** A labelled input that keeps what was entered and says what is wrong with it. */
export function field(options: Field, values: Values, errors: FieldErrors = {}): Html {
  const { name, label, hint } = options;
  const error = errors[name];
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${control(options, textOf(values[name]), Boolean(error ?? hint))}
    ${error ? html`<p class="error" id="${name}-hint">${error}</p>` : hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
  </div>`;
}

function control({ name, type = 'text', ...rest }: Field, value: string, described: boolean): Html {
  const attributes = html`id="${name}"
  name="${name}"${rest.required && html` required`}${described && html` aria-describedby="${name}-hint"`}`;
  if (type === 'textarea') return html`<textarea ${attributes} rows="${rest.rows ?? 3}">${value}</textarea>`;
  const { autocomplete = 'off', inputmode = 'text' } = rest;
  return html`<input
    ${attributes}
    type="${type}"
    value="${value}"
    autocomplete="${autocomplete}"
    inputmode="${inputmode}"
  />`;
}

/** What a form sent may be anything; only texts and numbers can be shown in a field again. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
