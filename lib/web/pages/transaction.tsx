import type { Answer } from '../answers';
import { transactionOf } from '../undo';
import type { Visit } from '../visit';
import { togetherPage } from './together';

/** All that one transaction wrote. */
export async function transactionPage(visit: Visit): Promise<Answer> {
  return togetherPage(visit, transactionOf(visit));
}
