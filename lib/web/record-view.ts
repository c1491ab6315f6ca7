import { inContextOf } from '../context/storage';
import { recordAccess, type EntrySubject } from '../history/log';
import type { Answer } from './answers';
import type { Visit } from './visit';

/**
 * The answer to a visitor who views an object: its timeline, a state, a comparison, or one of its entries. With `recordViews` an
 * `access` entry says so. It is written while the page is rendered, and kept before the page is sent: a view that can't be recorded
 * is none. Lists across objects record nothing.
 */
export async function viewing(visit: Visit, subject: EntrySubject, render: () => Answer): Promise<Answer> {
  const { options, settings } = visit.web;
  if (!options.recordViews) return render();
  const recorded = inContextOf(visit.req as never, () => recordAccess(settings, subject));
  // Told below, unless rendering fails before.
  recorded.catch(() => undefined);
  const answer = render();
  await recorded;
  return answer;
}
