import type { ComponentChild, JSX } from 'preact';
import { capitalised } from '../field-label';
import type { ShownObstacle } from '../obstacles';
import type { Visit } from '../visit';

/** One obstacle of a list: what it is about, what is wrong, and the database's own words for whoever looks after it. */
export function ObstacleItem({
  visit: { texts },
  obstacle: { field, why, words },
  object = null,
}: {
  readonly visit: Visit;
  readonly obstacle: ShownObstacle;
  /** Which of several objects it is about. */
  readonly object?: ComponentChild;
}): JSX.Element {
  const sentence = field === null ? why : texts.t('revert.obstacle', { field, why });
  return (
    <li>
      {object === null ? capitalised(sentence) : texts.rich('undo.obstacle', { object, why: sentence })}
      {words !== null && (
        <details class="words">
          <summary>{texts.t('obstacle.words')}</summary>
          <span class="code">{words}</span>
        </details>
      )}
    </li>
  );
}
