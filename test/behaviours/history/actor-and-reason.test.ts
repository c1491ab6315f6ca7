import express, { type Express, type Request } from 'express';
import { DataTypes, type Model } from 'sequelize';
import {
  addAuditData,
  createAuditLog,
  currentAuditContext,
  setActor,
  setReason,
  withAuditContext,
} from 'sequelize-auditlog';
import request from 'supertest';
import { entriesOf, entryOf, openAudited, refusalOf } from '../../support/audited';
import { testDatabase } from '../../support/database';

const database = testDatabase();
const { sequelize } = database;
const User = sequelize.define('User', { email: DataTypes.TEXT });
const Poll = sequelize.define('Poll', { title: DataTypes.TEXT, draft: DataTypes.TEXT });
User.hasMany(Poll, { as: 'polls', foreignKey: 'authorId', onDelete: 'CASCADE' });
Poll.belongsTo(User, { as: 'author', foreignKey: 'authorId' });

let resolved = 0;
const auditLog = createAuditLog(sequelize, {
  actor: {
    model: User,
    resolve: (req) => {
      resolved += 1;
      const badge = req.headers['x-badge'];
      return badge === undefined ? (req.user as Model | undefined) : { id: badge, type: 'Membership' };
    },
  },
});
const reach = Object.keys(User.associations);
const polls = auditLog.registerAudited(Poll, { snapshots: true, exclude: ['draft'] });

let ann: Model;
let bob: Model;
beforeAll(async () => {
  await openAudited(database, auditLog);
  [ann, bob] = [await User.create({ email: 'ann@example.com' }), await User.create({ email: 'bob@x.y' })];
});
afterAll(() => database.close());

const idOf = (row: Model): number => row.get('id') as number;
const pkOf = (row: Model): string => String(row.get('id'));

interface UserRequest extends Request {
  user?: Model | undefined;
}

type Handler = (req: UserRequest) => Promise<unknown>;

/** A shop where `x-user: ann` is logged in, and which does `work` on POST. */
function shop(work: Handler): Express {
  const app = express();
  app.use(auditLog.auditMiddleware);
  app.use((req: UserRequest, _res, next) => {
    if (req.headers['x-user'] === 'ann') req.user = ann;
    next();
  });
  app.get('/', (_req, res) => void res.end());
  app.post('/', async (req, res) => {
    await work(req);
    res.end();
  });
  return app;
}

const byAnn = (app: Express) => request(app).post('/').set('x-user', 'ann').expect(200);
const byNobody = (app: Express) => request(app).post('/').expect(200);

/** Who made each version of a poll, oldest first. */
async function usersOf(poll: Model | number): Promise<(string | null)[]> {
  const versions = await polls.versions(poll);
  return versions.map(({ historyUserId }) => historyUserId).toReversed();
}

test('H063 H065 H066 H067 H069 each request leaves its own user or nobody, on its own version only', async () => {
  const poll = await Poll.create({ title: 'outside' });
  const retitle = (title: string): Express =>
    shop(() => Poll.update({ title }, { where: { id: idOf(poll) } }));
  await byAnn(retitle('logged in'));
  await byNobody(retitle('logged out'));
  await byNobody(shop(() => Poll.destroy({ where: { id: idOf(poll) } })));
  expect(await usersOf(idOf(poll))).toEqual([null, pkOf(ann), null, null]);
  const entry = await entryOf(auditLog, () => byAnn(shop(() => Poll.create({}))));
  expect([entry.actorId, entry.actorLabel]).toEqual([pkOf(ann), 'ann@example.com']);
});

test('H071 H073 H074 H075 the context ends with its request, whoever made it', async () => {
  let inside: unknown;
  const look = shop(async () => (inside = currentAuditContext()));
  expect(currentAuditContext()).toBeNull();
  await byAnn(look);
  expect(inside).toMatchObject({ actor: { id: pkOf(ann) } });
  await request(look).get('/').set('x-user', 'ann').expect(200);
  expect(currentAuditContext()).toBeNull();
  const alone = await entryOf(auditLog, () => Poll.create({}));
  await byNobody(look);
  const afterwards = await entryOf(auditLog, () => Poll.create({}));
  expect([alone, afterwards].map(({ actorId, correlationId }) => [actorId, correlationId])).toEqual([
    [null, null],
    [null, null],
  ]);
});

test('H070 H087 another kind of actor is told by its type', async () => {
  const poll = await Poll.create({});
  const work = shop(() => poll.update({ title: 'by a member' }));
  const entry = await entryOf(auditLog, () => request(work).post('/').set('x-badge', 'm-1').expect(200));
  expect([entry.actorId, entry.actorType]).toEqual(['m-1', 'Membership']);
  await poll.update({ title: 'by nobody' }, { audit: { actor: null } });
  expect(await usersOf(poll)).toEqual([null, 'm-1', null]);
});

test('E03 E04 the resolver is asked at every write, also when nobody is logged in', async () => {
  const work = shop(async (req) => {
    await Poll.create({});
    req.user = bob;
    await Poll.create({});
    req.user = undefined;
    await Poll.create({});
  });
  resolved = 0;
  const entries = await entriesOf(auditLog, () => byNobody(work));
  expect(entries.map(({ actorId }) => actorId)).toEqual([null, pkOf(bob), null]);
  expect(resolved).toBeGreaterThanOrEqual(3);
});

test('H077 H078 H079 H081 H082 H086 bulk writes record the user of the request, nobody, or the actor of the call', async () => {
  const bulk = (title: string, options: object = {}): Handler => {
    return async () => {
      await Poll.bulkCreate([{ title }, { title }], options);
      await Poll.update({ title: `${title} changed` }, { where: { title }, ...options });
    };
  };
  const actorsOf = async (send: (app: Express) => unknown, work: Handler) =>
    (await entriesOf(auditLog, () => send(shop(work)))).map(({ actorId }) => actorId);
  const four = (id: string | null) => [id, id, id, id];
  expect(await actorsOf(byAnn, bulk('by user'))).toEqual(four(pkOf(ann)));
  expect(await actorsOf(byNobody, bulk('anonymous'))).toEqual(four(null));
  expect(await actorsOf(byAnn, bulk('by call', { audit: { actor: bob } }))).toEqual(four(pkOf(bob)));
  const alone = await entriesOf(auditLog, bulk('alone', { audit: { actor: 'job' } }) as () => unknown);
  expect(alone.map(({ actorId }) => actorId)).toEqual(four('job'));
});

test('H083 H085 E01 the actor belongs to the call: an explicit null too, and nothing of it stays on the instance', async () => {
  const [poll, other] = [await Poll.create({}, { audit: { actor: ann } }), await Poll.create({})];
  await poll.update({ title: 'a' });
  await withAuditContext({ actor: bob }, async () => {
    await poll.update({ title: 'b' }, { audit: { actor: null } });
    await poll.update({ title: 'c' });
    await other.update({ title: 'd' }, { audit: { actor: ann } });
  });
  expect(await usersOf(poll)).toEqual([pkOf(ann), null, null, pkOf(bob)]);
  expect(await usersOf(other)).toEqual([null, pkOf(ann)]);
});

test('H089 H090 H091 H094 deleting a user and the polls of that user keeps all that is known of both', async () => {
  const dan = await User.create({ email: 'dan@example.com' });
  const member = { id: 'm-9', label: 'member nine', type: 'Membership' };
  const poll = await Poll.create({ authorId: idOf(dan) }, { audit: { actor: dan } });
  await poll.update({ title: 'x' }, { audit: { actor: member } });
  const before = await polls.entries(poll);
  const entries = await entriesOf(auditLog, () => withAuditContext({ actor: dan }, () => dan.destroy()));
  expect(entries.map(({ action, objectPk }) => [action, objectPk])).toEqual([['delete', pkOf(poll)]]);
  expect(await usersOf(idOf(poll))).toEqual([pkOf(dan), 'm-9', pkOf(dan)]);
  const after = await polls.entries(idOf(poll), { actors: true });
  expect(after.slice(1).map((entry) => entry.toJSON())).toEqual(before.map((entry) => entry.toJSON()));
  expect(after.map(({ actorLabel, actor }) => [actorLabel, actor])).toEqual([
    ['dan@example.com', null],
    ['member nine', null],
    ['dan@example.com', null],
  ]);
});

test('H093 H095 without an actor neither id nor user is there; the user model has nothing added to it', async () => {
  const poll = await Poll.create({});
  const [version] = await polls.versions(poll, { actors: true });
  expect([version!.historyUserId, version!.actor]).toEqual([null, null]);
  expect(Object.keys(User.associations)).toEqual(reach);
});

test('H097 H142 H143 the address and further data of a request stand on the entry, not on the row', async () => {
  const work = shop(async () => {
    addAuditData({ basket: 7 });
    await Poll.create({});
  });
  const entry = await entryOf(auditLog, () => byAnn(work));
  expect(entry).toMatchObject({ remoteAddr: '127.0.0.1', additionalData: { basket: 7 } });
  const poll = (await Poll.findByPk(entry.objectPk!))!;
  expect(Object.keys(poll.get() as object)).toEqual(Object.keys(Poll.getAttributes()));
  expect(Poll.getAttributes()).not.toHaveProperty('additionalData');
  expect(polls.tracked).not.toContain('additionalData');
});

test('H158 H178 H179 objects are found by who changed them, and the users of many versions in one query', async () => {
  const [one, two] = [await Poll.create({}), await Poll.create({})];
  await withAuditContext({ actor: bob }, async () => {
    await one.update({ title: 'a' });
    await one.update({ title: 'b' });
    await two.update({ title: 'a' }, { audit: { actor: ann } });
  });
  const changed = (await polls.Snapshot.findAll({
    attributes: ['id', [sequelize.fn('count', '*'), 'times']],
    where: { historyUserId: pkOf(bob), id: [idOf(one), idOf(two)] },
    group: ['id'],
    raw: true,
  })) as unknown as object[];
  expect(changed).toEqual([{ id: idOf(one), times: '2' }]);
  expect(await Poll.count({ where: { id: changed.map((each) => (each as { id: number }).id) } })).toBe(1);
  const versions = await polls.versions(one, { actors: true });
  expect(versions.map(({ actor }) => actor?.get('email'))).toEqual(['bob@x.y', 'bob@x.y', undefined]);
});

test('E63 E64 work after the response keeps its user; a context inside another gives it back', async () => {
  let late!: Promise<unknown>;
  let answered!: () => void;
  const answer = new Promise<void>((resolve) => (answered = resolve));
  const work = shop(async () => {
    late = answer.then(() => Poll.create({ title: 'late' }));
  });
  await byAnn(work);
  const entry = await entryOf(auditLog, () => {
    answered();
    return late;
  });
  expect(entry.actorId).toBe(pkOf(ann));
  const nested = await entriesOf(auditLog, () =>
    withAuditContext({ actor: 'outer' }, async () => {
      await withAuditContext({ actor: 'inner' }, () => Poll.create({}));
      await Poll.create({});
      setActor('later');
      await Poll.create({});
    }),
  );
  expect(nested.map(({ actorId }) => actorId)).toEqual(['inner', 'outer', 'later']);
});

const because = (reason: string | null) => ({ audit: { reason } });

/** Types and reasons of the versions of a poll, oldest first. */
async function reasonsOf(poll: Model): Promise<[string, string | null][]> {
  const versions = await polls.versions(poll);
  return versions
    .map((each) => [each.historyType, each.historyChangeReason] as [string, string | null])
    .toReversed();
}

test('H098 H099 H101 H102 E01 a reason stands on the version of its write alone, with excluded columns too', async () => {
  const poll = await Poll.create({ title: 'a', draft: 'x' });
  await poll.update({ title: 'b', draft: 'y' }, because('typo'));
  await poll.update({ title: 'c' });
  await poll.destroy(because('spam'));
  expect(await reasonsOf(poll)).toEqual([
    ['+', null],
    ['~', 'typo'],
    ['~', null],
    ['-', 'spam'],
  ]);
  const [last] = await polls.versions(poll);
  const error = await refusalOf(() => last!.update({ historyChangeReason: 'later' } as never));
  expect(error.code).toBe('ERR_AUDIT_READ_ONLY');
});

test('H103 a reason of any length is kept whole', async () => {
  const long = 'because '.repeat(2000);
  const poll = await Poll.create({}, because(long));
  expect(await reasonsOf(poll)).toEqual([['+', long]]);
});

test.each([{ historyChangeReasonField: 'text' }, { reasonType: DataTypes.STRING(10) }])(
  'H105 no option changes the column: %p is refused',
  async (options) => {
    const error = await refusalOf(() => auditLog.registerAudited(Poll, options as never));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
  },
);

test('H106 H107 E17 the reason of a bulk write is that of all its versions, of the call or the context', async () => {
  const made = await Poll.bulkCreate([{ title: 'bulk' }, { title: 'bulk' }], because('import'));
  await withAuditContext({ reason: 'nightly' }, async () => {
    await Poll.update({ title: 'moved' }, { where: { title: 'bulk' } });
    setReason('tidy');
    await Poll.destroy({ where: { title: 'moved' } });
  });
  const told = [
    ['+', 'import'],
    ['~', 'nightly'],
    ['-', 'tidy'],
  ];
  expect(await Promise.all(made.map(reasonsOf))).toEqual([told, told]);
});

test.each(['historyDate', 'date', 'timestamp'])(
  'H054 H061 H062 no %s can be given to a write: the clock of the database dates it',
  async (name) => {
    const at = new Date(0);
    const options = { audit: { [name]: at } as never };
    const error = await refusalOf(() => Poll.create({}, options));
    expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
    expect((await refusalOf(() => Poll.bulkCreate([{}, {}], options))).code).toBe(error.code);
    const poll = Poll.build({});
    Object.assign(poll, { [name]: at, [`_${name}`]: at });
    await poll.save();
    const [version] = await polls.versions(poll);
    expect(version!.historyDate.getTime()).toBeGreaterThan(Date.now() - 60_000);
  },
);

/** Until a statement of this file waits for a lock of another. */
async function somebodyWaits(): Promise<void> {
  const waiting = `select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`;
  const isWaiting = async () => (await database.rows(waiting, [database.schema])).length > 0;
  const deadline = Date.now() + 5000;
  while (!(await isWaiting())) if (Date.now() > deadline) throw new Error('nobody waits');
}

test('H055 H057 H058 H059 E27 E29 the newest version is the one with the highest id, and dates follow the ids', async () => {
  const poll = await Poll.create({ title: 'first' });
  const transaction = await sequelize.transaction();
  await poll.update({ title: 'second' }, { transaction });
  // Began before the first one's commit, but changes the row after it.
  const waiting = Poll.update({ title: 'third' }, { where: { id: idOf(poll) } });
  await somebodyWaits();
  await poll.update({ title: 'second, again' }, { transaction });
  await transaction.commit();
  await waiting;
  const versions = await polls.versions(poll);
  expect(versions.map((each) => each.get('title'))).toEqual(['third', 'second, again', 'second', 'first']);
  const ids = versions.map(({ historyId }) => BigInt(historyId));
  expect(ids.every((id, at) => at === 0 || id < ids[at - 1]!)).toBe(true);
  const dates = versions.map((each) => (each.toJSON() as unknown as { historyDate: string }).historyDate);
  expect(dates).toEqual(dates.toSorted().toReversed());
  expect((await polls.mostRecent(idOf(poll)))!.historyId).toBe(String(ids[0]));
});

test('H059 E27 E28 where the dates of versions are equal their ids decide', async () => {
  const poll = await Poll.create({ title: 'a' });
  for (const title of ['b', 'c']) await poll.update({ title });
  await database.admin.query('update "Polls_history" set history_date = now() where id = $1', [idOf(poll)]);
  const [c, b, a] = await polls.versions(poll);
  expect([c, b, a].map((each) => each!.get('title'))).toEqual(['c', 'b', 'a']);
  expect((await polls.mostRecent(idOf(poll)))!.historyId).toBe(c!.historyId);
  expect((await c!.prevRecord())!.historyId).toBe(b!.historyId);
  expect((await a!.nextRecord())!.historyId).toBe(b!.historyId);
});
