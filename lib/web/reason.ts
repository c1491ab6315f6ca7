import { WebProblem } from './problem';
import type { Visit } from './visit';

/** Longer than any reason that a person gives. */
export const MAX_REASON = 2000;

/** PostgreSQL's texts hold no NUL. */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}

/** The reason that a form gives, without blanks around it; empty where it gives none. @throws {WebProblem} 400 for one that can't be kept */
export function reasonOf(visit: Visit): string {
  const reason = visit.field('reason')?.trim() ?? '';
  if (reason.length <= MAX_REASON && isStorable(reason)) return reason;
  const detail = visit.texts.t('reason.unfit', { n: visit.texts.number(MAX_REASON) });
  throw new WebProblem(400, 'Wrong parameter', { detail, parameter: 'reason' });
}
