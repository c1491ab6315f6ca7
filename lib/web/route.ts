import type { Handler } from './visit';

/** One address of the router. */
export interface Route {
  readonly method: 'get' | 'post';
  /** Below the mount, in the syntax that Express 4 and 5 share: no wildcards, no optional segments. */
  readonly path: string;
  readonly handler: Handler;
  /** How problems are told: as a page, or as `application/problem+json`. */
  readonly kind: 'page' | 'api';
}
