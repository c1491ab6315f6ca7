import { registeredAttributes } from '../hidden';
import { readActivity } from '../reading/activity';
import { filterOfParams } from '../search/filter';
import { unseenBy } from '../search/unseen';
import { visibleWhere } from '../visible';
import type { Visit } from '../visit';
import { endpoint, type Endpoint } from './endpoint';
import { ACTIVITY, ACTIVITY_QUERY, MODELS, NO_QUERY } from './schemas';

const viewed = (visit: Visit): Promise<readonly string[]> => visit.access.requireModels('view');

const activity = endpoint({
  method: 'get',
  path: '/api/v1/stats/activity',
  operationId: 'getActivity',
  summary:
    'How many entries there are per day, hour, week or month, of the last 30 days unless the filter says otherwise',
  query: ACTIVITY_QUERY,
  gives: { 200: ACTIVITY },
  allow: viewed,
  answer: async (visit, models, { query, params }) => {
    const { zone } = visit.clock;
    const { settings } = visit.web;
    const selection = {
      where: visibleWhere(visit, models),
      filter: filterOfParams(params, zone),
      unseen: unseenBy(visit.access, settings.registry),
      bucket: query.bucket,
      zone,
    };
    const data = await visit.read((transaction) => readActivity(settings, { ...selection, transaction }));
    return { body: { data } };
  },
});

/** A registered model as one visitor may see it. */
async function describeModel(visit: Visit, name: string): Promise<object> {
  const registration = visit.web.settings.registry.findByName(name)!;
  const { model, options, masked } = registration;
  const isSeen = (attribute: string): boolean => visit.access.sees(name, attribute);
  const labels = Object.entries(options.labels).filter(([attribute]) => isSeen(attribute));
  return {
    model: name,
    primaryKey: [...model.primaryKeyAttributes],
    tracked: registeredAttributes(registration).filter(
      (each) => isSeen(each) && !options.associations.includes(each),
    ),
    masked: masked.filter(isSeen),
    associations: options.associations.filter(isSeen),
    labels: Object.fromEntries(labels),
    actions: [...options.actions],
    snapshots: options.snapshots !== null,
    canRevert: await visit.access.may({ action: 'revert', model: name }),
  };
}

const models = endpoint({
  method: 'get',
  path: '/api/v1/models',
  operationId: 'listModels',
  summary: 'The registered models that you may see',
  query: NO_QUERY,
  gives: { 200: MODELS },
  allow: viewed,
  answer: async (visit, names) => ({
    body: { data: await Promise.all(names.map((name) => describeModel(visit, name))) },
  }),
});

export const OVERVIEW_ENDPOINTS: readonly Endpoint[] = [activity, models];
