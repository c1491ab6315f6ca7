import { randomUuid } from '../core/node';
import type { AuditRequest } from '../core/options';
import { attempt, isThenable, type ContextSettings } from './settings';

const VALID = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/**
 * Whether a value can be a correlation id: 1 to 128 characters of `A-Za-z0-9._:/+=-`.
 *
 * @example
 * isCorrelationId('req-7'); // true
 */
export function isCorrelationId(value: unknown): value is string {
  return typeof value === 'string' && VALID.test(value);
}

function generated(settings: ContextSettings): string {
  const { generate } = settings.options.correlationId;
  if (generate === null) return randomUuid();
  const id = attempt<unknown>(settings, 'correlationId.generate', () => {
    const given: unknown = generate();
    if (isCorrelationId(given) || isThenable(given)) return given;
    throw new TypeError('correlationId.generate must return 1 to 128 characters of A-Za-z0-9._:/+=-');
  });
  return isCorrelationId(id) ? id : randomUuid();
}

/** The client's id when the header may be used and is well formed, else a generated one. */
export function correlationIdOf(settings: ContextSettings, req: AuditRequest): string {
  const { header, trust } = settings.options.correlationId;
  const given = header === false ? undefined : req.headers[header.toLowerCase()];
  if (!isCorrelationId(given)) return generated(settings);
  return attempt(settings, 'correlationId.trust', () => trust(req)) ? given : generated(settings);
}
