import type { JSX } from 'preact';
import type { JsonValue } from '../../core/types';
import { diffJson, pathText, type JsonChange } from '../diff/json';
import { LIMIT, shorten } from '../diff/shorten';
import { diffWords, foldSame, type Piece } from '../diff/words';
import { isInstant, isMask, type Field, type Showing } from './fields';
import { isDocument, Parts, textOf, Value } from './value';

/** How two values are compared best. */
export type Comparison = 'words' | 'paths' | 'values';

export function comparisonOf(field: Field, [old, now]: readonly [JsonValue, JsonValue]): Comparison {
  if (
    old === null ||
    now === null ||
    [old, now].some((value) => isMask(field, value) || isInstant(field, value))
  )
    return 'values';
  if (isDocument(old) && isDocument(now) && Array.isArray(old) === Array.isArray(now)) return 'paths';
  if (typeof old !== 'string' || typeof now !== 'string' || old === '' || now === '') return 'values';
  return [old, now].some((text) => text.length > LIMIT || text.includes('\n')) ? 'words' : 'values';
}

interface Compared {
  readonly visit: Showing;
  readonly old: string;
  readonly now: string;
  readonly limit?: number;
  /** Shows the old or the new text alone, with what differs marked; both in one text otherwise. */
  readonly side?: 'old' | 'new';
}

function PieceText({
  visit,
  piece: { kind, text, words },
  limit,
}: {
  readonly visit: Showing;
  readonly piece: Piece;
  readonly limit: number;
}): JSX.Element {
  const { texts } = visit;
  if (kind === 'folded') return <span class="fold">{texts.tn('value.folded', words)}</span>;
  const shown = <Parts visit={visit} parts={shorten(text, limit)} />;
  if (kind === 'same') return shown;
  const Tag = kind === 'removed' ? 'del' : 'ins';
  return (
    <Tag>
      <span class="visually-hidden">{texts.t(kind === 'removed' ? 'value.was' : 'value.now')} </span>
      {shown}
    </Tag>
  );
}

/** Two texts as one, word by word; what both have is folded but for a few words. */
export function Words({ visit, old, now, limit = LIMIT, side }: Compared): JSX.Element {
  const left = { old: 'added', new: 'removed', none: '' }[side ?? 'none'];
  const pieces = foldSame(diffWords(old, now)).filter(({ kind }) => kind !== left);
  return (
    <span class="words">
      {pieces.map((piece, index) => (
        <PieceText key={index} visit={visit} piece={piece} limit={limit} />
      ))}
    </span>
  );
}

const MAX_PATHS = 20;

/** A value within a document; what one of the two doesn't have is left out. */
function Side({
  visit,
  field,
  value,
  isOld,
  limit,
}: {
  readonly visit: Showing;
  readonly field: Field;
  readonly value: JsonValue;
  readonly isOld: boolean;
  readonly limit: number;
}): JSX.Element {
  const Tag = isOld ? 'del' : 'ins';
  return (
    <Tag>
      <span class="visually-hidden">{visit.texts.t(isOld ? 'value.was' : 'value.now')} </span>
      {isDocument(value) ? (
        <Parts visit={visit} parts={shorten(JSON.stringify(value), limit)} />
      ) : (
        <Value visit={visit} field={field} value={value} limit={limit} />
      )}
    </Tag>
  );
}

interface PathsProps {
  readonly visit: Showing;
  readonly field: Field;
  readonly old: JsonValue;
  readonly now: JsonValue;
  readonly limit?: number;
  readonly side?: 'old' | 'new';
}

/** Two documents, path by path. */
export function Paths({ visit, field, old, now, limit = LIMIT, side }: PathsProps): JSX.Element {
  const changes = diffJson(old, now);
  const shown = limit > LIMIT ? changes : changes.slice(0, MAX_PATHS);
  const more = changes.length - shown.length;
  const plain: Field = { ...field, isInstant: false };
  const of = (value: JsonValue | undefined, isOld: boolean): JSX.Element | null =>
    value === undefined || (side !== undefined && (side === 'old') !== isOld) ? null : (
      <Side visit={visit} field={plain} value={value} isOld={isOld} limit={limit} />
    );
  const item = (change: JsonChange): JSX.Element => (
    <li key={pathText(change.path)}>
      <code class="path">{pathText(change.path)}</code> {of(change.old, true)} {of(change.new, false)}
    </li>
  );
  return (
    <ul class="tree">
      {shown.map(item)}
      {more > 0 && <li class="muted">{visit.texts.tn('changes.more', more)}</li>}
    </ul>
  );
}

/** Two values in one cell, as it suits them. */
export function Inline({ visit, field, old, now, limit = LIMIT }: Omit<PathsProps, 'side'>): JSX.Element {
  const kind = comparisonOf(field, [old, now]);
  if (kind === 'words') return <Words visit={visit} old={textOf(old)} now={textOf(now)} limit={limit} />;
  return <Paths visit={visit} field={field} old={old} now={now} limit={limit} />;
}
