import type { JSX } from 'preact';
import type { LinkChange, LinkedObject, ValueChange } from '../../core/types';
import { isLinkChange } from '../../history/display';
import type { EntryView } from '../entry-view';
import { LIMIT, shorten } from '../diff/shorten';
import { comparisonOf, Inline } from './compare';
import { fieldOf, type Field, type Showing } from './fields';
import { pairOf, Parts, WHOLE } from './value';

interface ChangesProps {
  readonly visit: Showing;
  readonly entry: Pick<EntryView, 'model' | 'changes' | 'hiddenChanges'>;
  /** Long values as a whole, where the entry has the page for itself. @default false */
  readonly full?: boolean;
}

type Named<C> = readonly [field: Field, change: C];

interface RowsProps<C> {
  readonly visit: Showing;
  readonly rows: readonly Named<C>[];
  readonly limit: number;
}

function ValueRow({
  visit,
  number,
  row: [field, change],
  limit,
}: {
  readonly visit: Showing;
  readonly number: number;
  readonly row: Named<ValueChange>;
  readonly limit: number;
}): JSX.Element {
  const { texts } = visit;
  const [old, now] = change;
  const isPlain = comparisonOf(field, change) === 'values';
  const [from, to] = isPlain ? pairOf({ visit, field, values: change, limit }) : [];
  return (
    <tr>
      <td class="number">{number}</td>
      <th scope="row">{field.label}</th>
      {isPlain ? (
        <>
          <td data-label={texts.t('changes.from')}>{from}</td>
          <td data-label={texts.t('changes.to')}>{to}</td>
        </>
      ) : (
        <td class="diff-inline" colSpan={2}>
          <Inline visit={visit} field={field} old={old} now={now} limit={limit} />
        </td>
      )}
    </tr>
  );
}

function Values({ visit, rows, limit }: RowsProps<ValueChange>): JSX.Element {
  const { texts } = visit;
  return (
    <div class="table-wrap">
      <table class="changes stack">
        <caption class="visually-hidden">{texts.t('changes.values')}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              {texts.t('changes.number')}
            </th>
            <th scope="col">{texts.t('changes.field')}</th>
            <th scope="col">{texts.t('changes.from')}</th>
            <th scope="col">{texts.t('changes.to')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <ValueRow key={row[0].name} visit={visit} number={index + 1} row={row} limit={limit} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const MAX_LINKS = 20;

/** Names of linked objects, as they were called then. */
export function LinkList({
  visit,
  links,
  limit,
  as: Tag = 'span',
}: {
  readonly visit: Showing;
  readonly links: readonly LinkedObject[];
  readonly limit: number;
  /** Of links that came or went. */
  readonly as?: 'span' | 'ins' | 'del';
}): JSX.Element {
  const shown = limit > LIMIT ? links : links.slice(0, MAX_LINKS);
  const more = links.length - shown.length;
  return (
    <ul class="tree">
      {shown.map(({ pk, repr }) => (
        <li key={pk}>
          <Tag>
            <Parts visit={visit} parts={shorten(repr)} />
          </Tag>
        </li>
      ))}
      {more > 0 && <li class="muted">{visit.texts.tn('changes.more', more)}</li>}
    </ul>
  );
}

/** What came stands before what went, in a row each. */
function linkRows(
  rows: readonly Named<LinkChange>[],
): (readonly [Field, 'added' | 'removed', LinkedObject[]])[] {
  return rows.flatMap(([field, change]) =>
    (['added', 'removed'] as const)
      .map((action) => [field, action, change[action]] as const)
      .filter(([, , links]) => links.length > 0),
  );
}

/** Relationships that changed: a row for what came and one for what went. */
export function LinkTable({ visit, rows, limit }: RowsProps<LinkChange>): JSX.Element {
  const { texts } = visit;
  return (
    <div class="table-wrap">
      <table class="changes links stack">
        <caption class="visually-hidden">{texts.t('changes.links')}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">
              {texts.t('changes.number')}
            </th>
            <th scope="col">{texts.t('changes.relationship')}</th>
            <th scope="col">{texts.t('changes.action')}</th>
            <th scope="col">{texts.t('changes.objects')}</th>
          </tr>
        </thead>
        <tbody>
          {linkRows(rows).map(([field, action, links], index) => (
            <tr key={`${field.name} ${action}`}>
              <td class="number">{index + 1}</td>
              <th scope="row">{field.label}</th>
              <td data-label={texts.t('changes.action')}>{texts.t(`changes.${action}`)}</td>
              <td data-label={texts.t('changes.objects')}>
                <LinkList visit={visit} links={links} limit={limit} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What an entry changed: values in one table, relationships in another, each in alphabetical order of its fields. */
export function Changes({ visit, entry, full = false }: ChangesProps): JSX.Element {
  const { model, changes, hiddenChanges } = entry;
  const names = Object.keys(changes ?? {}).toSorted();
  const rows = names.map((name) => [fieldOf(visit, model, name), changes![name]!] as const);
  const values = rows.filter((row): row is Named<ValueChange> => !isLinkChange(row[1]));
  const links = rows.filter((row): row is Named<LinkChange> => isLinkChange(row[1]));
  const limit = full ? WHOLE : LIMIT;
  return (
    <>
      {values.length > 0 && <Values visit={visit} rows={values} limit={limit} />}
      {links.length > 0 && <LinkTable visit={visit} rows={links} limit={limit} />}
      {hiddenChanges > 0 && <p class="hint">{visit.texts.tn('value.hidden', hiddenChanges)}</p>}
    </>
  );
}
