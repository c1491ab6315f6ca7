import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelStatic, Model, Sequelize } from 'sequelize';
import { normalised } from './support/normalise';
import { equivalence, freezeTime } from './support/equivalence';
import { people } from './person';

const tested = equivalence({ ...people, options: { pool: { max: 1 } } });
beforeAll(() => {
  freezeTime();
  // Sequelize warns of transactions that it can't end.
  jest.spyOn(console, 'warn').mockImplementation();
});

type Side = (typeof tested)['plain'];
type Write = (side: { Person: ModelStatic<Model>; sequelize: Sequelize }) => Promise<unknown>;

const slow = `(select 'x' from pg_sleep(5))`;

const writes: Record<string, Write> = {
  'an update': ({ Person, sequelize }) => Person.update({ bio: sequelize.literal(slow) }, { where: {} }),
  'an update in a transaction': ({ Person, sequelize }) =>
    sequelize.transaction((transaction) =>
      Person.update({ bio: sequelize.literal(slow) }, { where: {}, transaction }),
    ),
  'a create': ({ Person, sequelize }) => Person.create({ name: 'Slow', bio: sequelize.literal(slow) }),
  'a destroy': ({ Person, sequelize }) =>
    Person.destroy({ where: sequelize.literal(`${slow} = 'x'`) as never }),
  'a findOrCreate': ({ Person, sequelize }) =>
    Person.findOrCreate({ where: { name: 'Slow' }, defaults: { bio: sequelize.literal(slow) } }),
};

const ends = { 'whose connection is lost': 'pg_terminate_backend', 'that is cancelled': 'pg_cancel_backend' };
const cases = Object.entries(writes).flatMap(([name, write]) =>
  Object.entries(ends).map(([ending, how]) => [`${name} ${ending}`, write, how] as const),
);

/** What the call throws, and whether the pool serves the next calls. */
async function interrupted({ models, sequelize }: Side, write: Write, how: string): Promise<unknown> {
  await tested.tables.empty();
  await tested.plain.models.Person.create({ name: 'Ada' });
  const failure = write({ ...models, sequelize }).catch((error: unknown) => error);
  await end(how);
  // How far the stack of a failed COMMIT reaches is V8's to decide.
  const thrown = { ...(normalised(await failure) as object), isTracedToCaller: 'perhaps' };
  // The server says that it ends the connection before it does.
  await sleep(50);
  const next = await models.Person.create({ name: 'Next' });
  return { thrown, next: next.get('name'), rows: (await tested.tables.state()).rows.length };
}

async function end(how: string): Promise<void> {
  for (;;) {
    const ended = await tested.database.rows(
      `select ${how}(pid) from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'`,
      [tested.database.schema],
    );
    if (ended.length > 0) return;
    await sleep(10);
  }
}

test.each(cases)('%s throws the same, and the pool recovers', async (_, write, how) => {
  const expected = await interrupted(tested.plain, write, how);
  for (const run of [1, 2]) {
    expect([run, await interrupted(tested.audited, write, how)]).toEqual([run, expected]);
    // The one create after the failure.
    expect((await tested.tables.state()).entries).toBe(1);
  }
});

test('a connection that is lost between two writes is replaced', async () => {
  const between = async ({ models }: Side): Promise<unknown> => {
    await models.Person.create({ name: 'One' });
    await tested.database.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()`,
      [tested.database.schema],
    );
    await sleep(100);
    return normalised((await models.Person.create({ name: 'Two' })).get('name'));
  };
  expect(await between(tested.audited)).toEqual(await between(tested.plain));
});
