import type { ComponentChild, JSX } from 'preact';
import type { JsonValue, LinkChange } from '../../core/types';
import { html, redirect, type Answer } from '../answers';
import { requestedRegistered } from '../audited-object';
import { isTelling, readTimes, rowsOf, ticked, type Row, type Side, type TwoTimes } from '../comparing';
import { LinkTable } from '../parts/changes';
import { comparisonOf, Paths, Words } from '../parts/compare';
import { fieldOf } from '../parts/fields';
import { Layout } from '../parts/layout';
import { Moment } from '../parts/moment';
import { Concealed, jsonOf, seenState, StateValue, type StateField } from '../parts/state-table';
import { pairOf, textOf, WHOLE } from '../parts/value';
import type { Point } from '../points';
import { viewing } from '../record-view';
import { shownLinks } from '../shown-links';
import type { Visit } from '../visit';

interface DiffPage extends TwoTimes {
  readonly visit: Visit;
  readonly mayRevert: boolean;
}

const whole = { limit: WHOLE };

/** Both values in cells of their own, or in one where they are compared word by word. */
function cells(
  { visit }: DiffPage,
  { from, to, isDifferent }: Row,
  isSide: boolean,
): readonly ComponentChild[] {
  if (isDifferent !== true) {
    const values = [from, to].map((each) => (
      <StateValue key={each.field.name} visit={visit} of={each} {...whole} />
    ));
    return isSide || isDifferent === null ? values : [values[0]];
  }
  const values = [jsonOf(from.raw), jsonOf(to.raw)] as const;
  return compared(visit, from.field, values, isSide);
}

function compared(
  visit: Visit,
  field: StateField['field'],
  [old, now]: readonly [JsonValue, JsonValue],
  isSide: boolean,
): readonly ComponentChild[] {
  const sides = isSide ? (['old', 'new'] as const) : [undefined];
  switch (comparisonOf(field, [old, now])) {
    case 'words':
      return sides.map((side) => (
        <Words
          key={side}
          visit={visit}
          old={textOf(old)}
          now={textOf(now)}
          {...whole}
          {...(side && { side })}
        />
      ));
    case 'paths':
      return sides.map((side) => (
        <Paths
          key={side}
          visit={visit}
          field={field}
          old={old}
          now={now}
          {...whole}
          {...(side && { side })}
        />
      ));
    default: {
      const [was, is] = pairOf({ visit, field, values: [old, now], ...whole });
      return [
        <Was key="old" visit={visit}>
          {was}
        </Was>,
        <Is key="new" visit={visit}>
          {is}
        </Is>,
      ];
    }
  }
}

function Was({ visit, children }: { readonly visit: Visit; readonly children: ComponentChild }): JSX.Element {
  return (
    <del>
      <span class="visually-hidden">{visit.texts.t('value.was')} </span>
      {children}
    </del>
  );
}

function Is({ visit, children }: { readonly visit: Visit; readonly children: ComponentChild }): JSX.Element {
  return (
    <ins>
      <span class="visually-hidden">{visit.texts.t('value.now')} </span>
      {children}
    </ins>
  );
}

/** A time, and of an entry its id too: two of them may share a second. */
function PointName({ visit, point }: { readonly visit: Visit; readonly point: Point }): JSX.Element {
  if (point.at === null) return <span>{visit.texts.t('diff.now')}</span>;
  return (
    <>
      <Moment visit={visit} at={point.at} bare />
      {point.entry && <span class="muted"> #{point.entry.id}</span>}
    </>
  );
}

const plainName = ({ clock, texts }: Visit, { at }: Point): string =>
  at === null ? texts.t('diff.now') : clock.full(at);

interface TableProps {
  readonly page: DiffPage;
  readonly rows: readonly Row[];
  readonly isSide: boolean;
}

function Line({
  page,
  row,
  isSide,
}: {
  readonly page: DiffPage;
  readonly row: Row;
  readonly isSide: boolean;
}): JSX.Element {
  const { visit, from, to } = page;
  const [first, second] = cells(page, row, isSide);
  const isPair = second !== undefined;
  return (
    <tr class={row.isDifferent ? 'changed' : 'same'}>
      <th scope="row">{row.from.field.label}</th>
      {isSide ? (
        <>
          <td data-label={plainName(visit, from.point)}>{first}</td>
          <td data-label={plainName(visit, to.point)}>{second}</td>
        </>
      ) : (
        <td class="diff-inline">
          {first} {isPair && <span class="arrow">→</span>} {second}
        </td>
      )}
    </tr>
  );
}

function Table({ page, rows, isSide }: TableProps): JSX.Element {
  const { visit, from, to } = page;
  const { texts } = visit;
  return (
    <div class="table-wrap">
      <table class={isSide ? 'diff-side stack' : 'diff-inline stack'}>
        <caption class="visually-hidden">{texts.t('diff.caption')}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.t('changes.field')}</th>
            {isSide ? (
              <>
                <th scope="col">
                  <PointName visit={visit} point={from.point} />
                </th>
                <th scope="col">
                  <PointName visit={visit} point={to.point} />
                </th>
              </>
            ) : (
              <th scope="col">{texts.t('diff.change')}</th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={row.from.field.name} page={page} row={row} isSide={isSide} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Switches of the page: each a link to the same comparison, shown otherwise. */
function Switches({ visit, object, from, to, mayRevert }: DiffPage): JSX.Element {
  const { texts, urls, query } = visit;
  const { model, pk } = object;
  const shown = { from: from.point.text, to: to.point.text, view: query.get('view'), all: query.get('all') };
  const link = (change: Partial<typeof shown>, text: string, isCurrent = false): JSX.Element => (
    <a href={urls.diff(model, pk, { ...shown, ...change })} aria-current={isCurrent ? 'true' : undefined}>
      {text}
    </a>
  );
  const [isSide, isAll] = [query.get('view') === 'side', query.get('all') === '1'];
  return (
    <nav class="toolbar" aria-label={texts.t('diff.view')}>
      {link({ view: null }, texts.t('diff.inline'), !isSide)}
      {link({ view: 'side' }, texts.t('diff.side'), isSide)}
      {link({ all: null }, texts.t('diff.changed'), !isAll)}
      {link({ all: '1' }, texts.t('diff.all'), isAll)}
      {link({ from: to.point.text, to: from.point.text }, texts.t('diff.swap'))}
      {mayRevert && from.point.at !== null && from.state.presence === 'there' && (
        <a class="revert" href={urls.revert(model, pk, { to: from.point.text })}>
          {texts.t('diff.revert', { from: plainName(visit, from.point) })}
        </a>
      )}
    </nav>
  );
}

/** What is to be known about a side before its values are read. */
function Note({
  visit,
  side: { point, state },
}: {
  readonly visit: Visit;
  readonly side: Side;
}): JSX.Element | null {
  const { texts } = visit;
  if (state.presence === 'there') return null;
  const since = state.since !== null && <Moment visit={visit} at={state.since} bare />;
  if (state.presence === 'absent')
    return (
      <p class="notice info">
        {texts.rich('diff.absent', { when: <PointName visit={visit} point={point} /> })}
      </p>
    );
  return (
    <p class="notice info">{since ? texts.rich('at.unknown', { since }) : texts.t('at.unknownNever')}</p>
  );
}

function Compared(props: DiffPage): JSX.Element {
  const { visit, object, from, to, links } = props;
  const { query, texts } = visit;
  const rows = rowsOf(visit, props);
  const shown = query.get('all') === '1' ? rows : rows.filter((row) => isTelling(object, row));
  const linked = shownLinks(visit, object.model, links ?? []).map(
    ([name, change]): readonly [ReturnType<typeof fieldOf>, LinkChange] => [
      fieldOf(visit, object.model, name),
      change,
    ],
  );
  const isKnown = [from, to].every(({ state }) => state.presence !== 'unknown');
  const { concealed } = seenState(visit, object.registration, from.state);
  return (
    <>
      <Note visit={visit} side={from} />
      <Note visit={visit} side={to} />
      {isKnown && shown.length > 0 && (
        <Table page={props} rows={shown} isSide={query.get('view') === 'side'} />
      )}
      {isKnown && links === null && <p class="notice info">{texts.t('at.linksUnknown')}</p>}
      {isKnown && linked.length > 0 && <LinkTable visit={visit} rows={linked} limit={WHOLE} />}
      {isKnown && shown.length + linked.length === 0 && <p class="empty">{texts.t('diff.nothing')}</p>}
      <Concealed visit={visit} count={concealed} />
    </>
  );
}

function Page(props: DiffPage): JSX.Element {
  const { visit, object, name, from, to } = props;
  const { texts, urls } = visit;
  const title = { name, from: plainName(visit, from.point), to: plainName(visit, to.point) };
  const points = {
    name,
    from: <PointName visit={visit} point={from.point} />,
    to: <PointName visit={visit} point={to.point} />,
  };
  return (
    <Layout visit={visit} title={texts.t('diff.title', title)}>
      <p class="crumbs">
        <a href={urls.object(object.model, object.pk)}>{name}</a>
      </p>
      <h1>{texts.rich('diff.title', points)}</h1>
      <Switches {...props} />
      <Compared {...props} />
    </Layout>
  );
}

/** One object at two times. */
export async function diffPage(visit: Visit): Promise<Answer> {
  const object = await requestedRegistered(visit);
  const { model, pk } = object;
  const mayRevert = visit.canRevert && (await visit.access.may({ action: 'revert', model, pk }));
  const picks = ticked(visit);
  if (picks) return redirect(visit.urls.diff(model, pk, { from: picks[0], to: picks[1] }), 302);
  const props = { visit, mayRevert, ...(await readTimes(visit, object)) };
  const isUnknown = [props.from, props.to].some(({ state }) => state.presence === 'unknown');
  const objectRepr = props.entry?.objectRepr ?? `${model} ${pk}`;
  return viewing(visit, { model, objectPk: pk, objectRepr }, () =>
    html(<Page {...props} />, isUnknown ? 422 : 200),
  );
}
