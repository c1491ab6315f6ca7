import type { JSX } from 'preact';
import type { Order, Transaction, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { logTable } from '../../history/settings';
import { timeText } from '../../schema/exact-time';
import type { LogEntry } from '../../schema/log-entry';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { isStillDeleted } from '../../statement/deleted-objects';
import { besideSql } from '../../statement/log-search';
import { notFound } from '../access';
import { html, type Answer } from '../answers';
import type { EntryView } from '../entry-view';
import { GetForm } from '../parts/get-form';
import { Layout } from '../parts/layout';
import { ActorLink, ObjectLink } from '../parts/links';
import { Moment } from '../parts/moment';
import { Pager } from '../parts/pager';
import { amongFound } from '../per-model';
import { justBefore } from '../points';
import { decodeCursor, encodeCursor, listDigest, type Cursor } from '../reading/cursor';
import { inScope } from '../visible';
import type { Visit } from '../visit';

interface DeletedList {
  readonly entries: readonly LogEntry[];
  readonly newer: string | null;
  readonly older: string | null;
}

const ALIAS = '"LogEntry"';

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** Deletions of one model's objects that are deleted still, on one side of a position. */
function deletions(visit: Visit, model: string, from: Cursor | null): EntryWhere {
  const { settings } = visit.web;
  const { Op, literal } = runtimeOf(visit.sequelize);
  const deletedAt = settings.registry.findByName(model)?.tracked.deletedAt?.attribute ?? null;
  const conditions = [literal(isStillDeleted(logTable(settings), ALIAS, deletedAt))];
  if (from) conditions.push(literal(besideSql(from.side === 'before' ? '>' : '<', from.time!, from.id)));
  return inScope(visit, { model, action: 'delete', [Op.and]: conditions });
}

const orderBy = (direction: 'ASC' | 'DESC'): Order => [
  ['timestamp', direction],
  ['id', direction],
];

/** One page, by keyset in the order of time; one statement. */
async function readDeleted(
  visit: Visit,
  models: readonly string[],
  transaction: Transaction,
): Promise<DeletedList> {
  const { settings, options } = visit.web;
  const digest = listDigest(JSON.stringify(['deleted', models]), {}, 'desc');
  const given = visit.query.get('cursor');
  const from = given === null ? null : decodeCursor(given, digest, true);
  const isBack = from?.side === 'before';
  const page = { order: orderBy(isBack ? 'ASC' : 'DESC'), limit: options.pageSize + 1 };
  const finds = models.map((model) => ({ where: deletions(visit, model, from), ...page }));
  const where = amongFound(settings, finds);
  const found = await settings.LogEntry.findAll({ where, ...page, transaction });
  const shown = found.slice(0, options.pageSize);
  const entries = isBack ? shown.toReversed() : shown;
  const hasMore = found.length > options.pageSize;
  const cursor = (side: Cursor['side'], entry: LogEntry | undefined): string | null =>
    entry
      ? encodeCursor({ side, id: entry.id, time: timeText(entry.timestamp), isIncluded: false }, digest)
      : null;
  return {
    entries,
    newer: (isBack ? hasMore : from) ? cursor('before', entries[0]) : null,
    older: isBack || hasMore ? cursor('after', entries.at(-1)) : null,
  };
}

interface DeletedPage {
  readonly visit: Visit;
  readonly models: readonly string[];
  readonly model: string;
  readonly entries: readonly EntryView[];
  readonly list: DeletedList;
  readonly restorable: readonly string[];
}

function ModelFilter({ visit, models, model }: DeletedPage): JSX.Element {
  const { texts, urls } = visit;
  return (
    <GetForm to={urls.deleted()} own={['model']} class="filters">
      <label>
        {texts.t('deleted.model')}
        <select name="model">
          <option value="">{texts.t('deleted.all')}</option>
          {models.map((name) => (
            <option key={name} value={name} selected={name === model}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button>{texts.t('deleted.show')}</button>
    </GetForm>
  );
}

function Row({ page, entry }: { readonly page: DeletedPage; readonly entry: EntryView }): JSX.Element {
  const { visit, restorable } = page;
  const { texts, urls } = visit;
  const { model, objectPk, timestamp, reason } = entry;
  return (
    <tr data-item>
      <th scope="row">
        <ObjectLink visit={visit} entry={entry} /> <span class="muted">{model}</span>
      </th>
      <td data-label={texts.t('deleted.when')}>
        <a href={urls.entry(entry.id)}>
          <Moment visit={visit} at={timestamp} />
        </a>
      </td>
      <td data-label={texts.t('deleted.by')}>
        <ActorLink visit={visit} entry={entry} />
      </td>
      <td data-label={texts.t('deleted.reason')}>{reason}</td>
      {restorable.length > 0 && (
        <td>
          {restorable.includes(model) && objectPk !== null && (
            <a class="button" href={urls.revert(model, objectPk, { to: justBefore(timestamp) })}>
              {texts.t('deleted.restore')}
              <span class="visually-hidden"> {entry.objectRepr}</span>
            </a>
          )}
        </td>
      )}
    </tr>
  );
}

function Table(page: DeletedPage): JSX.Element {
  const { visit, entries, restorable } = page;
  const { texts } = visit;
  return (
    <div class="table-wrap">
      <table class="deleted stack">
        <caption class="visually-hidden">{texts.t('deleted.caption')}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.t('deleted.object')}</th>
            <th scope="col">{texts.t('deleted.when')}</th>
            <th scope="col">{texts.t('deleted.by')}</th>
            <th scope="col">{texts.t('deleted.reason')}</th>
            {restorable.length > 0 && (
              <th scope="col">
                <span class="visually-hidden">{texts.t('deleted.restore')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Row key={entry.id} page={page} entry={entry} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Page(page: DeletedPage): JSX.Element {
  const { visit, entries, list, model } = page;
  const { texts, urls } = visit;
  const at = (cursor: string | null): string | null =>
    cursor === null ? null : urls.deleted({ model: model || null, cursor });
  return (
    <Layout visit={visit} title={texts.t('deleted.title')} current="deleted">
      <h1>{texts.t('deleted.title')}</h1>
      <p class="lead">{texts.t('deleted.lead')}</p>
      <ModelFilter {...page} />
      {entries.length > 0 ? <Table {...page} /> : <p class="empty">{texts.t('deleted.empty')}</p>}
      <Pager
        visit={visit}
        prev={at(list.newer)}
        next={at(list.older)}
        first={urls.deleted({ model: model || null })}
      />
    </Layout>
  );
}

/** Objects that were deleted and didn't come back. */
export async function deletedPage(visit: Visit): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  const restorable = visit.canRevert ? await visit.access.models('revert') : [];
  const model = visit.query.get('model') ?? '';
  if (model !== '' && !models.includes(model)) throw notFound();
  const asked = model === '' ? models : [model];
  const list = await visit.read((transaction) => readDeleted(visit, asked, transaction));
  const entries = list.entries.map((entry) => visit.entries.view(entry));
  return html(<Page {...{ visit, models, model, entries, list, restorable }} />);
}
