import { literal, Op, type Model } from 'sequelize';
import { call } from '../write-paths/path';
import type { AnyModel } from './models';
import type { Chance } from './random';
import type { CallOptions, Scene } from './scene';

/** What one operation works with. */
export interface Hand {
  readonly scene: Scene;
  readonly chance: Chance;
  readonly options: CallOptions;
  /** Instances from earlier operations, of which others may have changed or removed the rows. */
  readonly held: Model[];
}

export type Operation = (hand: Hand) => Promise<unknown>;
type Name = keyof Scene['ids'];

/** Few enough rows that workers meet, of which the oldest are gone by and by. */
const RECENT = 25;
const HELD = 12;

function someId({ scene, chance }: Hand, name: Name): number {
  const recent = scene.ids[name].slice(-RECENT);
  return recent.length === 0 ? 0 : chance.pick(recent);
}

function text({ chance }: Hand): string {
  return (
    chance.pick(['', 'plain', `it's "so"`, '\\ ü 😀', 'x'.repeat(200), '$1 :a ?', 'null']) + chance.below(9)
  );
}

function folderValues(hand: Hand): Record<string, unknown> {
  const { chance } = hand;
  const all = {
    name: text(hand),
    size: chance.below(100),
    worth: (chance.below(10_000) / 100).toFixed(chance.below(3)),
    meta: chance.pick([
      null,
      { a: chance.below(3) },
      [1, { b: text(hand) }],
      'text',
      { deep: { list: [chance.below(3)] } },
    ]),
    labels: chance.pick([null, [], ['a', text(hand)], ['b', 'c']]),
    state: chance.pick(['new', 'open', 'done', null]),
    seen: chance.pick([null, new Date(1_700_000_000_000 + chance.below(1e9))]),
    password: chance.pick([null, text(hand)]),
  };
  return Object.fromEntries(Object.entries(all).filter(() => chance.happens(0.6)));
}

function remember(hand: Hand, name: Name, ...rows: readonly Model[]): void {
  hand.scene.ids[name].push(...rows.map((row) => Number(row.get('id'))));
  hold(hand, ...rows);
}

function hold({ held }: Hand, ...rows: readonly Model[]): void {
  held.push(...rows);
  held.splice(0, Math.max(0, held.length - HELD));
}

function modelsOf({ scene }: Hand): Scene['models'] {
  return scene.models;
}

async function load(hand: Hand, name: Name, options: object = {}): Promise<Model | null> {
  const model: AnyModel = modelsOf(hand)[name];
  const row = await model.findByPk(someId(hand, name), { ...hand.options, ...options });
  if (row) hold(hand, row);
  return row;
}

const createFolder: Operation = async (hand) => {
  const code = hand.chance.happens(0.5) ? `c${hand.chance.below(40)}` : null;
  remember(hand, 'Folder', await modelsOf(hand).Folder.create({ ...folderValues(hand), code }, hand.options));
};

const createNested: Operation = async (hand) => {
  const { Folder, Leaf, Topic } = modelsOf(hand);
  const include = [
    { model: Leaf, as: 'leaves' },
    { model: Topic, as: 'topics' },
  ];
  const values = {
    ...folderValues(hand),
    leaves: [{ name: 'n' }, { name: text(hand) }],
    topics: [{ name: text(hand) }],
  };
  remember(hand, 'Folder', await Folder.create(values, { ...hand.options, include }));
};

const createLeaf: Operation = async (hand) => {
  const folderId = someId(hand, 'Folder');
  remember(hand, 'Leaf', await modelsOf(hand).Leaf.create({ name: text(hand), folderId }, hand.options));
};

const bulkCreateLeaves: Operation = async (hand) => {
  const rows = Array.from({ length: 1 + hand.chance.below(5) }, () => ({
    name: text(hand),
    folderId: someId(hand, 'Folder'),
  }));
  remember(hand, 'Leaf', ...(await modelsOf(hand).Leaf.bulkCreate(rows, hand.options)));
};

const createRemark: Operation = async (hand) => {
  remember(
    hand,
    'Remark',
    await modelsOf(hand).Remark.create({ text: text(hand), folderId: someId(hand, 'Folder') }, hand.options),
  );
};

const createPage: Operation = async (hand) => {
  remember(hand, 'Page', await modelsOf(hand).Page.create({ title: text(hand) }, hand.options));
};

const createTopic: Operation = async (hand) => {
  remember(hand, 'Topic', await modelsOf(hand).Topic.create({ name: text(hand) }, hand.options));
};

const updateLoaded: Operation = async (hand) =>
  (await load(hand, 'Folder'))?.update(folderValues(hand), hand.options);

const updatePartly: Operation = async (hand) =>
  (await load(hand, 'Folder', { attributes: ['id', 'name'] }))?.update(folderValues(hand), hand.options);

/** A value of the held instance may be long out of date. */
const updateHeld: Operation = async (hand) => {
  if (hand.held.length === 0) return;
  const row = hand.chance.pick(hand.held);
  const isFolder = row instanceof modelsOf(hand).Folder;
  const column = ['name', 'title', 'text', 'guest'].find(
    (name) => name in (row.constructor as AnyModel).getAttributes(),
  );
  await row.update(isFolder ? folderValues(hand) : { [column ?? 'name']: text(hand) }, hand.options);
};

const changeInPlace: Operation = async (hand) => {
  const folder = await load(hand, 'Folder');
  const meta = folder?.get('meta');
  if (!folder || typeof meta !== 'object' || meta === null) return;
  Object.assign(meta, { [hand.chance.below(3)]: hand.chance.below(5) });
  folder.changed('meta' as never, true);
  await folder.save(hand.options);
};

const updateMany: Operation = (hand) =>
  modelsOf(hand).Folder.update(folderValues(hand), {
    ...hand.options,
    where: { size: { [Op.between]: [hand.chance.below(50), 60] } },
    returning: hand.chance.happens(0.3),
  });

const updateManyByLiteral: Operation = (hand) =>
  modelsOf(hand).Leaf.update(
    { size: literal('"size" + 1') },
    { ...hand.options, where: { folderId: someId(hand, 'Folder') } },
  );

const moveLeaf: Operation = (hand) =>
  modelsOf(hand).Leaf.update(
    { folderId: someId(hand, 'Folder') },
    { ...hand.options, where: { id: someId(hand, 'Leaf') } },
  );

const increment: Operation = async (hand) =>
  (await load(hand, 'Folder'))?.increment({ size: hand.chance.below(5) - 2 }, hand.options);

const incrementMany: Operation = (hand) =>
  modelsOf(hand).Page.increment('views', {
    ...hand.options,
    by: 1 + hand.chance.below(3),
    where: { views: { [Op.lt]: hand.chance.below(10) } },
  });

function slot({ chance }: Hand): { row: string; number: number } {
  return { row: chance.pick(['A', "B/'x"]), number: chance.below(6) };
}

const createSlot: Operation = (hand) =>
  modelsOf(hand).Slot.create({ ...slot(hand), guest: text(hand) }, hand.options);
const upsertSlot: Operation = (hand) =>
  modelsOf(hand).Slot.upsert({ ...slot(hand), guest: text(hand) }, hand.options);
const incrementSlot: Operation = (hand) =>
  modelsOf(hand).Slot.increment('count', { ...hand.options, where: slot(hand) });
const destroySlot: Operation = (hand) => modelsOf(hand).Slot.destroy({ ...hand.options, where: slot(hand) });

const findOrCreateSlot: Operation = (hand) =>
  modelsOf(hand).Slot.findOrCreate({ where: slot(hand), defaults: { guest: text(hand) }, ...hand.options });

const bulkCreateSlots: Operation = (hand) => {
  const rows = new Map(
    Array.from({ length: 4 }, () => slot(hand)).map((each) => [JSON.stringify(each), each]),
  );
  const values = [...rows.values()].map((each) => ({ ...each, guest: text(hand) }));
  const how = hand.chance.happens(0.5) ? { ignoreDuplicates: true } : { updateOnDuplicate: ['guest'] };
  return modelsOf(hand).Slot.bulkCreate(values, { ...hand.options, ...how });
};

const upsertFolder: Operation = async (hand) => {
  const values = { ...folderValues(hand), code: `c${hand.chance.below(40)}` };
  const [folder] = await modelsOf(hand).Folder.upsert(values, { ...hand.options, conflictFields: ['code'] });
  remember(hand, 'Folder', folder);
};

const destroyFolder: Operation = async (hand) => (await load(hand, 'Folder'))?.destroy(hand.options);

const destroyFolders: Operation = (hand) =>
  modelsOf(hand).Folder.destroy({
    ...hand.options,
    where: { id: [someId(hand, 'Folder'), someId(hand, 'Folder')] },
  });

const destroyLeaves: Operation = (hand) =>
  modelsOf(hand).Leaf.destroy({
    ...hand.options,
    where: { id: [someId(hand, 'Leaf'), someId(hand, 'Leaf')] },
  });

const destroyHeld: Operation = async (hand) => {
  if (hand.held.length > 0) await hand.chance.pick(hand.held).destroy(hand.options);
};

const destroyTopic: Operation = async (hand) => (await load(hand, 'Topic'))?.destroy(hand.options);

const destroyPage: Operation = async (hand) =>
  (await load(hand, 'Page', { paranoid: false }))?.destroy({
    ...hand.options,
    force: hand.chance.happens(0.2),
  });

const destroyPages: Operation = (hand) =>
  modelsOf(hand).Page.destroy({ ...hand.options, where: { views: hand.chance.below(6) } });

const restorePage: Operation = async (hand) =>
  (await load(hand, 'Page', { paranoid: false }))?.restore(hand.options);

const restorePages: Operation = (hand) =>
  modelsOf(hand).Page.restore({ ...hand.options, where: { views: { [Op.gte]: hand.chance.below(6) } } });

const link: Operation = async (hand) => {
  const folder = await load(hand, 'Folder');
  if (folder) await call(folder, 'addTopics', [someId(hand, 'Topic'), someId(hand, 'Topic')], hand.options);
};

const unlink: Operation = async (hand) => {
  const folder = await load(hand, 'Folder');
  if (folder)
    await call(folder, 'removeTopics', [someId(hand, 'Topic'), someId(hand, 'Topic')], hand.options);
};

const setLinks: Operation = async (hand) => {
  const topic = await load(hand, 'Topic');
  if (topic) await call(topic, 'setFolders', [someId(hand, 'Folder'), someId(hand, 'Folder')], hand.options);
};

/** Operations by how often they happen. */
export const OPERATIONS: readonly (readonly [weight: number, operation: Operation])[] = [
  [5, createFolder],
  [3, createNested],
  [8, createLeaf],
  [3, bulkCreateLeaves],
  [5, createRemark],
  [4, createPage],
  [4, createTopic],
  [9, updateLoaded],
  [4, updatePartly],
  [8, updateHeld],
  [4, changeInPlace],
  [4, updateMany],
  [4, updateManyByLiteral],
  [4, moveLeaf],
  [5, increment],
  [3, incrementMany],
  [3, createSlot],
  [5, upsertSlot],
  [3, incrementSlot],
  [3, destroySlot],
  [3, findOrCreateSlot],
  [4, bulkCreateSlots],
  [4, upsertFolder],
  [3, destroyFolder],
  [1, destroyFolders],
  [3, destroyLeaves],
  [2, destroyHeld],
  [2, destroyTopic],
  [4, destroyPage],
  [2, destroyPages],
  [4, restorePage],
  [2, restorePages],
  [7, link],
  [4, unlink],
  [3, setLinks],
];
