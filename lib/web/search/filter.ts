import { WebProblem } from '../problem';
import { isZone } from '../zone';
import { FilterBuilder, PARAMETER_KEYS, type EntryFilter } from './entry-filter';
import { formatSearch, parameterItems, parameterText, readSearch, readValue, timeProblem } from './language';
import { sinceOf, untilOf, untilText } from './time';

export type { Choice, EntryFilter, TextChoice, TimeBound } from './entry-filter';

/** Parameters that narrow a list; `q` is a search in the language of the search box. */
export const FILTER_PARAMETERS: readonly string[] = [...PARAMETER_KEYS, 'since', 'until', 'q'];

/** All parameters of a list. */
export const LIST_PARAMETERS: readonly string[] = [...FILTER_PARAMETERS, 'limit', 'cursor', 'order'];

/** Free text without an index reads entry by entry: on a page, unless told otherwise, of the last days only. */
export const TEXT_WINDOW = '30d';

const problem = (parameter: string, detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter });

/** What `read` could not understand is the parameter's fault. */
function asParameter(builder: FilterBuilder, parameter: string, read: () => void): void {
  read();
  if (builder.problems.length > 0) throw problem(parameter, builder.problems.join(' '));
}

function readBound(
  builder: FilterBuilder,
  params: URLSearchParams,
  side: 'since' | 'until',
  zone: string,
): void {
  // A form sends its empty fields too.
  for (const text of params.getAll(side).filter((each) => each.trim() !== '')) {
    const bound = (side === 'since' ? sinceOf : untilOf)(text, zone);
    if (bound) builder.addBound(side, bound);
    else builder.problems.push(timeProblem(side, text));
  }
}

/**
 * The filter that a query asks for. What `q` says is added: of one key, an entry has one of all the values. Parameters of other
 * names, and empty ones, are passed over.
 *
 * @throws {WebProblem} 400, naming the parameter
 */
export function filterOfParams(params: URLSearchParams, zone: string): EntryFilter {
  if (!isZone(zone)) throw problem('tz', `"${zone.slice(0, 60)}" is no time zone.`);
  const builder = new FilterBuilder();
  // Repeated or apart at commas: an entry matches with one of them.
  for (const key of PARAMETER_KEYS) {
    const values = params.getAll(key).flatMap(parameterItems);
    asParameter(builder, key, () => values.forEach((value) => readValue(builder, key, value)));
  }
  for (const side of ['since', 'until'] as const)
    asParameter(builder, side, () => readBound(builder, params, side, zone));
  for (const text of params.getAll('q')) asParameter(builder, 'q', () => readSearch(builder, text, zone));
  return builder.build();
}

/** What only the search can say: exclusions, reasons and free texts. */
function searchOnly(filter: EntryFilter): EntryFilter {
  const { reason, text } = filter;
  const excluded = PARAMETER_KEYS.flatMap((key) => {
    const none = filter[key]?.none ?? [];
    return none.length > 0 ? [[key, { any: [], none }] as const] : [];
  });
  return { ...Object.fromEntries(excluded), ...(reason && { reason }), ...(text && { text }) };
}

/** The query that `filterOfParams` reads as this filter, in one form. */
export function filterToParams(filter: EntryFilter): URLSearchParams {
  const params = new URLSearchParams();
  for (const key of PARAMETER_KEYS)
    for (const value of filter[key]?.any ?? []) params.append(key, parameterText(value));
  if (filter.since) params.append('since', filter.since.at);
  if (filter.until) params.append('until', untilText(filter.until));
  const search = formatSearch(searchOnly(filter));
  if (search !== '') params.append('q', search);
  return params;
}

/** The filter of a page: one that searches texts of all times is bounded, visibly, to the last days. */
export function withTextWindow(filter: EntryFilter): EntryFilter {
  const searchesText = filter.text !== undefined || filter.reason !== undefined;
  if (!searchesText || filter.since || filter.until) return filter;
  return { ...filter, since: { at: TEXT_WINDOW, zone: null } };
}
