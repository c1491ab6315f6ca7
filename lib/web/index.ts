/**
 * The audit log in the browser and as a JSON API, for Express.
 *
 * @packageDocumentation
 */
export { auditRouter } from './router';
export type { HostHandler } from './host';
export type { AuditRouterOptions, CsrfOptions, WebAction, WebSubject } from './options';
export type { Messages } from './messages';
export { auditPath } from './path';
export { renderTimeline, type TimelineOptions } from './timeline';
