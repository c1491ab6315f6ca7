import type { Route } from '../route';
import { handlerOf } from './endpoint';
import { LIST_ENDPOINTS } from './lists';
import { OBJECT_ENDPOINTS } from './objects';
import { openApiHandler } from './openapi';
import { OVERVIEW_ENDPOINTS } from './overviews';
import { REVERT_ENDPOINTS } from './reverts';

/** Everything that the OpenAPI document tells of. */
export const ENDPOINTS = [...LIST_ENDPOINTS, ...OBJECT_ENDPOINTS, ...REVERT_ENDPOINTS, ...OVERVIEW_ENDPOINTS];

/** The JSON API. */
export const API_ROUTES: readonly Route[] = [
  ...ENDPOINTS.map((each): Route => ({
    method: each.method,
    path: each.path,
    handler: handlerOf(each),
    kind: 'api',
  })),
  { method: 'get', path: '/openapi.json', handler: openApiHandler(ENDPOINTS), kind: 'api' },
];
