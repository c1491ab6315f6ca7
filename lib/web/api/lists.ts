import type { Transaction, WhereOptions } from 'sequelize';
import type { z } from 'zod';
import type { LogEntryAttributes } from '../../core/types';
import { requestedObject, newestSeen, objectWhere } from '../audited-object';
import { estimateEntries } from '../reading/estimate';
import { readEntries } from '../reading/entries';
import { filterOfParams } from '../search/filter';
import { unseenBy } from '../search/unseen';
import { requestOf, targetWhere, transactionOf, type UndoTarget } from '../undo';
import { notFound } from '../access';
import { inScope, visibleWhere } from '../visible';
import { idOf } from '../points';
import type { Visit } from '../visit';
import { endpoint, type ApiAnswer, type ApiInput, type Endpoint } from './endpoint';
import { expectedTag } from './expected';
import { recorded } from './recorded';
import { ENTRY, LIST, LIST_QUERY, NO_QUERY } from './schemas';

type ListInput = ApiInput<Pick<z.output<typeof LIST_QUERY>, 'limit' | 'cursor' | 'order' | 'count'>>;
type EntryWhere = WhereOptions<LogEntryAttributes>;

const viewed = (visit: Visit): Promise<readonly string[]> => visit.access.requireModels('view');

/** The query of another page of the same list. */
function reference({ query }: Visit, cursor: string | null): string | null {
  if (cursor === null) return null;
  const params = new URLSearchParams(query);
  params.set('cursor', cursor);
  return `?${params.toString()}`;
}

function linkHeader(page: Readonly<Record<'next' | 'prev', string | null>>): Record<string, string> {
  const links = Object.entries(page).flatMap(([rel, to]) => (to === null ? [] : [`<${to}>; rel="${rel}"`]));
  return links.length === 0 ? {} : { link: links.join(', ') };
}

/** A page of entries that fulfil `where`, which holds what the visitor may see. */
async function listAnswer(
  visit: Visit,
  where: EntryWhere,
  list: string,
  { query, params }: ListInput,
  transaction: Transaction,
  model: string | null = null,
): Promise<ApiAnswer> {
  const { settings, options } = visit.web;
  const { limit = options.pageSize, cursor = null, order, count } = query;
  const filter = filterOfParams(params, visit.clock.zone);
  const unseen = unseenBy(visit.access, settings.registry, model);
  const selection = { where, filter, unseen, transaction };
  const { entries, next, prev } = await readEntries(settings, { ...selection, limit, cursor, order, list });
  const estimate = count && (await estimateEntries(settings, selection));
  const page = { next: reference(visit, next), prev: reference(visit, prev) };
  const data = entries.map((entry) => visit.entries.view(entry));
  return { body: { data, page, ...(estimate !== undefined && { estimate }) }, headers: linkHeader(page) };
}

const LIST_OF = { query: LIST_QUERY, gives: { 200: LIST }, method: 'get' } as const;

const entries = endpoint({
  ...LIST_OF,
  path: '/api/v1/entries',
  operationId: 'listEntries',
  summary: 'Entries of all models that you may see, newest first',
  allow: viewed,
  answer: (visit, models, input) =>
    visit.read((transaction) =>
      listAnswer(visit, visibleWhere(visit, models), 'entries', input, transaction),
    ),
});

const entry = endpoint({
  method: 'get',
  path: '/api/v1/entries/:id',
  operationId: 'getEntry',
  summary: 'One entry',
  query: NO_QUERY,
  gives: { 200: ENTRY },
  problems: { 404: 'There is no such entry, or none that you may see.' },
  allow: viewed,
  answer: async (visit) => {
    const id = idOf(visit.param('id'));
    const found =
      id &&
      (await visit.read((transaction) =>
        visit.web.settings.LogEntry.findOne({ where: inScope(visit, { id }), transaction }),
      ));
    if (!found) throw notFound();
    const { model, objectPk, action } = found;
    if (!(await visit.access.may({ action: 'view', model, ...(objectPk !== null && { pk: objectPk }) })))
      throw notFound();
    // Who looks at a record of looking leaves no further one.
    if (objectPk !== null && action !== 'access')
      await recorded(visit, { model, pk: objectPk }, found.objectRepr);
    return { body: visit.entries.view(found) };
  },
});

const OBJECT_QUERY = LIST_QUERY.omit({ model: true, pk: true });

const objectEntries = endpoint({
  ...LIST_OF,
  path: '/api/v1/objects/:model/:pk/entries',
  operationId: 'listObjectEntries',
  summary: 'Entries of one object, newest first',
  query: OBJECT_QUERY,
  problems: { 404: 'Nothing is recorded of such an object, or nothing that you may see.' },
  allow: requestedObject,
  answer: async (visit, object, input) => {
    const { newest, ...answer } = await visit.read(async (transaction) => ({
      newest: await newestSeen(visit, object, transaction),
      expected: await expectedTag(visit, object, transaction),
      ...(await listAnswer(
        visit,
        objectWhere(visit, object),
        `${object.model} ${object.pk}`,
        input,
        transaction,
        object.model,
      )),
    }));
    await recorded(visit, object, newest?.objectRepr ?? null);
    return answer;
  },
});

const OF_REQUEST = LIST_QUERY.omit({ correlationId: true });
const OF_TRANSACTION = LIST_QUERY.omit({ transactionId: true });

/** Entries of one request or transaction. */
function together(
  kind: UndoTarget['kind'],
  path: string,
  query: typeof OF_REQUEST | typeof OF_TRANSACTION,
  targetOf: (visit: Visit) => UndoTarget | null,
): Endpoint {
  return endpoint({
    ...LIST_OF,
    path,
    operationId: `list${kind === 'request' ? 'Request' : 'Transaction'}Entries`,
    summary: `All that one ${kind} did, newest first`,
    query,
    problems: { 404: `This can't be the id of a ${kind}.` },
    allow: viewed,
    answer: async (visit, models, input) => {
      const target = targetOf(visit);
      if (!target) throw notFound();
      const where = visibleWhere(visit, models, targetWhere(target));
      return visit.read((transaction) =>
        listAnswer(visit, where, `${kind} ${target.id}`, input, transaction),
      );
    },
  });
}

const actorEntries = endpoint({
  ...LIST_OF,
  path: '/api/v1/actors/:actorId/entries',
  operationId: 'listActorEntries',
  summary: 'All that one actor did, newest first',
  query: LIST_QUERY.omit({ actor: true }),
  problems: { 404: "This can't be the id of an actor." },
  allow: viewed,
  answer: async (visit, models, input) => {
    const actorId = visit.param('actorId');
    // PostgreSQL's texts hold none.
    if (actorId.includes('\0')) throw notFound();
    const where = visibleWhere(visit, models, { actorId });
    return visit.read((transaction) => listAnswer(visit, where, `actor ${actorId}`, input, transaction));
  },
});

export const LIST_ENDPOINTS: readonly Endpoint[] = [
  entries,
  entry,
  objectEntries,
  together('request', '/api/v1/requests/:correlationId/entries', OF_REQUEST, requestOf),
  together('transaction', '/api/v1/transactions/:transactionId/entries', OF_TRANSACTION, transactionOf),
  actorEntries,
];
