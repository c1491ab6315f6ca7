import type { ComponentChild, JSX } from 'preact';
import type { JsonValue } from '../../core/types';
import { fullText, isDigest } from '../../history/display';
import { isObject } from '../diff/json';
import { LIMIT, shorten, shortenPair, type Part } from '../diff/shorten';
import { isInstant, isMask, type Field, type Showing } from './fields';
import { Moment } from './moment';

/** Where one value alone fills the page, it is shown up to here. */
export const WHOLE = 20_000;

/** The absence of a value: the sign keeps it apart from a text that says the same, also where no style is. */
export function Null({ visit }: { readonly visit: Showing }): JSX.Element {
  return <span class="null">∅ {visit.texts.t('value.null')}</span>;
}

function Blank({ children }: { readonly children: string }): JSX.Element {
  return <span class="blank">{children}</span>;
}

/** A text with marks where it is cut. */
export function Parts({
  visit,
  parts,
}: {
  readonly visit: Showing;
  readonly parts: readonly Part[];
}): JSX.Element {
  const shown = parts.map((part, index) =>
    typeof part === 'string' ? (
      part
    ) : (
      <span key={index} class="fold">
        {visit.texts.tn('value.cut', part.cut)}
      </span>
    ),
  );
  return <span class="value">{shown}</span>;
}

interface ValueProps {
  readonly visit: Showing;
  readonly field: Field;
  readonly value: JsonValue;
  /** Longer texts are shortened. @default 140 */
  readonly limit?: number;
}

function Special({ visit, field, value }: ValueProps): JSX.Element | null {
  const { texts } = visit;
  if (value === null) return <Null visit={visit} />;
  if (value === '') return <Blank>{texts.t('value.empty')}</Blank>;
  if (Array.isArray(value) && value.length === 0) return <Blank>{texts.t('value.emptyList')}</Blank>;
  if (isInstant(field, value)) return <Moment visit={visit} at={value} bare />;
  if (typeof value === 'object' && isDigest(value)) return <Digest visit={visit} {...value} />;
  return isMask(field, value) ? <Mask visit={visit}>{value}</Mask> : null;
}

function Mask({ visit, children }: { readonly visit: Showing; readonly children: string }): JSX.Element {
  return (
    <span class="value masked" title={visit.texts.t('value.masked')}>
      {children}
      <span class="visually-hidden"> ({visit.texts.t('value.masked')})</span>
    </span>
  );
}

/** Of bytes only their number and digest are kept. */
function Digest({
  visit: { texts },
  bytes,
  sha256,
}: {
  readonly visit: Showing;
  readonly bytes: number;
  readonly sha256: string;
}): JSX.Element {
  return <span class="value">{texts.t('value.digest', { bytes: texts.number(bytes), sha256 })}</span>;
}

/** A value as text: lists of plain values joined, documents as JSON with indents. */
export function textOf(value: JsonValue): string {
  return isDocument(value) ? JSON.stringify(value, null, 2) : fullText(value);
}

/** An object, or a list of such: what is compared by path. */
export function isDocument(value: JsonValue): boolean {
  return isObject(value) ? !isDigest(value) : Array.isArray(value) && value.some(isContainer);
}

const isContainer = (value: JsonValue): boolean => typeof value === 'object' && value !== null;

/** One value of a field. */
export function Value(props: ValueProps): JSX.Element {
  const { visit, value, limit = LIMIT } = props;
  return Special(props) ?? <Parts visit={visit} parts={shorten(textOf(value), limit)} />;
}

interface PairProps {
  readonly visit: Showing;
  readonly field: Field;
  readonly values: readonly [old: JsonValue, now: JsonValue];
  readonly limit?: number;
}

/** Two values beside each other: shortened together, so that their first difference lines up. */
export function pairOf({
  visit,
  field,
  values,
  limit,
}: PairProps): readonly [ComponentChild, ComponentChild] {
  const [old, now] = values;
  const shown = old === null || now === null ? [] : shortenPair(textOf(old), textOf(now), limit);
  const one = (value: JsonValue, parts: readonly Part[] | undefined): ComponentChild => {
    if (!parts) return <Value visit={visit} field={field} value={value} {...(limit && { limit })} />;
    return Special({ visit, field, value }) ?? <Parts visit={visit} parts={parts} />;
  };
  return [one(old, shown[0]), one(now, shown[1])];
}
