import { WebProblem } from '../problem';

/** Newest first, or oldest first. */
export type ListOrder = 'desc' | 'asc';

/** Which part of a list is asked for. */
export interface Paging {
  readonly limit: number;
  readonly cursor: string | null;
  readonly order: ListOrder;
}

export const MAX_LIMIT = 200;

const problem = (parameter: string, detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter });

function limitOf(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw problem('limit', `limit must be a whole number from 1 to ${MAX_LIMIT}, got "${text.slice(0, 60)}".`);
}

function orderOf(text: string): ListOrder {
  if (text === 'desc' || text === 'asc') return text;
  throw problem('order', `order must be desc (newest first) or asc, got "${text.slice(0, 60)}".`);
}

/**
 * The part of a list that a query asks for; what it leaves out, or empty, is as in `preset`.
 *
 * @throws {WebProblem} 400
 */
export function pagingOf(params: URLSearchParams, preset: { readonly limit: number }): Paging {
  const given = (name: string): string | null => params.get(name) || null;
  const [limit, order] = [given('limit'), given('order')];
  return {
    limit: limit === null ? preset.limit : limitOf(limit),
    cursor: given('cursor'),
    order: order === null ? 'desc' : orderOf(order),
  };
}
