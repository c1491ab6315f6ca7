import type { DatabaseImage, Row } from '../write-paths/database-image';
import { tableImage } from '../write-paths/expected';
import { History } from './history';
import type { Tally } from './worker';
import type { World } from './world';

/** Everything that does not fit between the log and the tables, when all workers are done. */
export function wrongsOf(world: World, image: DatabaseImage, tally: Tally): string[] {
  const entries = tableImage(image, world.log).rows.toSorted((a, b) => Number(a['id']) - Number(b['id']));
  const histories = world.subjects.all.flatMap((subject) =>
    new History(subject, image).wrongs(entries.filter((entry) => entry['model'] === subject.name)),
  );
  return [...histories, ...entries.flatMap((entry) => wrongOrigin(entry, tally))];
}

/** The actor comes from the context, the reason from the call: both must be of one worker. */
function wrongOrigin(entry: Row, { undone }: Tally): string[] {
  const [actor, mark] = [String(entry['actor_id']), String(entry['reason'])];
  const what = `entry ${entry['id']} of ${entry['model']} ${entry['object_pk']}`;
  const wrong = mark.startsWith(`${actor}:`) ? [] : [`${what} has the actor ${actor} and the reason ${mark}`];
  return undone.has(mark) ? [...wrong, `${what} was undone with ${mark}`] : wrong;
}
