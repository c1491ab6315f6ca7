import { DataTypes, type Model, type ModelStatic } from 'sequelize';
import { createAuditLog, type Changes } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const auditLog = createAuditLog(sequelize);

/** Models with the mixins of their associations, which Sequelize adds at run time. */
type Linked = Model & Record<string, (...given: unknown[]) => Promise<unknown>>;
type LinkedModel = ModelStatic<Linked>;

const define = (name: string, attributes: object): LinkedModel =>
  sequelize.define(name, attributes as never, { timestamps: false }) as unknown as LinkedModel;

const Order = define('Order', { status: DataTypes.TEXT });
const Tag = define('Tag', { name: DataTypes.TEXT });
const Part = define('Part', {
  a: { type: DataTypes.INTEGER, primaryKey: true },
  b: { type: DataTypes.TEXT, unique: true },
});

const Club = define('Club', { code: { type: DataTypes.TEXT, unique: true } });
const Member = define('Member', { slug: { type: DataTypes.TEXT, unique: true } });
const membership = { timestamps: true, paranoid: true, createdAt: false, updatedAt: false } as const;
const ClubMember = sequelize.define('ClubMember', {}, membership);

auditLog.registerAudited(Order, { associations: ['tags', 'parts'] });
auditLog.registerAudited(Club, { associations: ['members'] });
auditLog.registerAudited(Member);
Order.belongsToMany(Tag, { as: 'tags', through: 'order_tags' });
Tag.belongsToMany(Order, { as: 'orders', through: 'order_tags' });
Club.belongsToMany(Member, { as: 'members', through: ClubMember, sourceKey: 'code', targetKey: 'slug' });
Order.belongsToMany(Part, { as: 'parts', through: 'order_parts', targetKey: 'b' });

beforeAll(async () => {
  await database.open();
  await sequelize.sync();
  await auditLog.sync();
  auditLog.registerAudited(Tag, { repr: 'Tag {name}' });
});
afterAll(() => database.close());

let seen = 0;

/** What was logged since the last call: action, object, changes. */
async function logged(): Promise<[string, string, Changes | null][]> {
  const entries = await auditLog.LogEntry.findAll({ order: [['id', 'ASC']] });
  const unseen = entries.filter(({ id }) => Number(id) > seen);
  seen = Number(entries.at(-1)?.id ?? 0);
  return unseen.map(({ action, model, objectPk, changes }) => [action, `${model} ${objectPk}`, changes]);
}

const tags = (added: [string, string][], removed: [string, string][]): Changes => ({
  tags: links(added, removed),
});

function links(added: [string, string][], removed: [string, string][]): Changes[string] {
  const ends = (list: [string, string][]): { pk: string; repr: string }[] =>
    list.map(([pk, repr]) => ({ pk, repr }));
  return { type: 'm2m', added: ends(added), removed: ends(removed) };
}

async function fresh(names: string[]): Promise<[Linked, Linked[]]> {
  const order = await Order.create({ status: 'new' });
  const made = await Tag.bulkCreate(names.map((name) => ({ name })));
  await logged();
  return [order, made];
}

const keyOf = (instance: Model): string => String(instance.get('id'));
const ref = (tag: Linked): [string, string] => [keyOf(tag), `Tag ${String(tag.get('name'))}`];

test('a nested create records the link on the owner', async () => {
  const order = await Order.create({ tags: [{ name: 'q' }] } as never, {
    include: [{ model: Tag, as: 'tags' }],
  });
  const [tag] = (await Tag.findAll()) as [Linked];
  expect(await logged()).toEqual([
    ['create', `Order ${keyOf(order)}`, { id: [null, order.get('id')] }],
    ['create', `Tag ${keyOf(tag)}`, { id: [null, tag.get('id')], name: [null, 'q'] }],
    ['update', `Order ${keyOf(order)}`, tags([ref(tag)], [])],
  ]);
});

test('Y2 Y3 Y4 Y6 links count for the owner, whichever side acts, one entry per statement', async () => {
  const [order, [a, b, c]] = (await fresh(['a', 'b', 'c'])) as [Linked, [Linked, Linked, Linked]];
  const name = `Order ${keyOf(order)}`;
  await order['addTags']!([a, b]);
  expect(await logged()).toEqual([['update', name, tags([ref(a), ref(b)], [])]]);
  await order['setTags']!([b, c]);
  const set = await logged();
  expect(set).toHaveLength(2);
  expect(set).toEqual(
    expect.arrayContaining([
      ['update', name, tags([], [ref(a)])],
      ['update', name, tags([ref(c)], [])],
    ]),
  );
  await a['addOrder']!(order);
  expect(await logged()).toEqual([['update', name, tags([ref(a)], [])]]);
  await a['setOrders']!([]);
  expect(await logged()).toEqual([['update', name, tags([], [ref(a)])]]);
  await order['setTags']!([]);
  expect(await logged()).toEqual([['update', name, tags([], [ref(b), ref(c)])]]);
});

test('adding a link that is there leaves no entry', async () => {
  const [order, [a]] = (await fresh(['a'])) as [Linked, [Linked]];
  await order['addTag']!(a);
  await logged();
  await order['addTag']!(a);
  expect(await logged()).toEqual([]);
});

test('H265 the links that a cascade removes are recorded on the owners that stay', async () => {
  const [order, [a, b]] = (await fresh(['a', 'b'])) as [Linked, [Linked, Linked]];
  await order['addTags']!([a, b]);
  await logged();
  await a.destroy();
  expect(await logged()).toEqual([
    ['delete', `Tag ${keyOf(a)}`, { id: [a.get('id'), null], name: ['a', null] }],
    ['update', `Order ${keyOf(order)}`, tags([], [ref(a)])],
  ]);
  await order.destroy();
  expect((await logged()).map(([action, object]) => [action, object])).toEqual([
    ['delete', `Order ${keyOf(order)}`],
  ]);
});

test('an unregistered target goes, whether it is linked or not', async () => {
  await Order.create({ status: 'odd' });
  const free = await Part.create({ a: 90, b: 'free' });
  await free.destroy();
  expect(await Part.findByPk(90)).toBeNull();
  expect((await logged()).map(([action]) => action)).toEqual(['create']);
});

test('a link refers to whatever column its association uses, and to an unregistered target by its key', async () => {
  const order = await Order.create({});
  const part = await Part.create({ a: 5, b: 'bolt' });
  await logged();
  await order['addPart']!(part);
  expect(await logged()).toEqual([
    ['update', `Order ${keyOf(order)}`, { parts: links([['5', 'Part 5']], []) }],
  ]);
});

test('one statement on the through table writes one entry per owner', async () => {
  const [first, [a, b]] = (await fresh(['a', 'b'])) as [Linked, [Linked, Linked]];
  const second = await Order.create({});
  const through = sequelize.model('order_tags');
  await logged();
  const rows = [first, second].flatMap((order) =>
    [a, b].map((tag) => ({ OrderId: order.get('id'), TagId: tag.get('id') })),
  );
  await through.bulkCreate(rows as never[]);
  expect(await logged()).toEqual([
    ['update', `Order ${keyOf(first)}`, tags([ref(a), ref(b)], [])],
    ['update', `Order ${keyOf(second)}`, tags([ref(a), ref(b)], [])],
  ]);
  await through.update(
    { OrderId: second.get('id') },
    {
      where: { OrderId: first.get('id'), TagId: -1 },
    },
  );
  expect(await logged()).toEqual([]);
});

test('a rolled-back link leaves no entry, and withoutAudit none either', async () => {
  const [order, [a]] = (await fresh(['a'])) as [Linked, [Linked]];
  const rolledBack = sequelize.transaction(async (transaction) => {
    await order['addTag']!(a, { transaction });
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await order['addTag']!(a, { audit: false });
  expect(await logged()).toEqual([]);
  expect(await order['countTags']!()).toBe(1);
});

test('a soft delete of a row of an unregistered through table takes the link away, a restore brings it back', async () => {
  const club = await Club.create({ code: 'chess' });
  const member = await Member.create({ slug: 'ann' });
  await club['addMembers']!(member);
  await logged();
  const pk = String(member.get('id'));
  const end: [string, string] = [pk, `Member ${pk}`];
  await club['removeMembers']!(member);
  expect(await logged()).toEqual([
    ['update', `Club ${String(club.get('id'))}`, { members: links([], [end]) }],
  ]);
  await ClubMember.restore({ where: {} });
  expect(await logged()).toEqual([
    ['update', `Club ${String(club.get('id'))}`, { members: links([end], []) }],
  ]);
});

test('a link that follows the changed key of either end has not changed', async () => {
  const club = await Club.create({ code: 'go' });
  const member = await Member.create({ slug: 'bob' });
  await club['addMembers']!(member);
  await logged();
  await club.update({ code: 'weiqi' });
  await member.update({ slug: 'robert' });
  expect(await logged()).toEqual([
    ['update', `Club ${String(club.get('id'))}`, { code: ['go', 'weiqi'] }],
    ['update', `Member ${String(member.get('id'))}`, { slug: ['bob', 'robert'] }],
  ]);
  expect(await sequelize.query('select * from "ClubMembers" where "ClubCode" = \'weiqi\'')).toHaveProperty(
    '0.length',
    1,
  );
});
