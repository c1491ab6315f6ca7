import type { Answer } from '../answers';
import { requestOf } from '../undo';
import type { Visit } from '../visit';
import { togetherPage } from './together';

/** All that one request wrote, transaction by transaction. */
export async function requestPage(visit: Visit): Promise<Answer> {
  return togetherPage(visit, requestOf(visit));
}
