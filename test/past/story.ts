import { literal, type Model, type Transaction } from 'sequelize';
import type { Chance } from '../replay/random';
import { call } from '../write-paths/path';
import type { AnyModel, StoryModels } from './story-models';

interface Hand {
  readonly models: StoryModels;
  readonly chance: Chance;
  readonly options: { readonly transaction?: Transaction };
}

type Operation = (hand: Hand) => unknown;
type Values = Record<string, unknown>;

const ITEMS = 6;
const PAGES = 5;
const CODES = ['a', 'b"', "c'd"];

const itemId = ({ chance }: Hand): number => 1 + chance.below(ITEMS);
const pageId = ({ chance }: Hand): number => 1 + chance.below(PAGES);
const slot = ({ chance }: Hand): Values => ({ row: chance.pick(['A', 'b/"']), number: chance.below(3) });
const text = ({ chance }: Hand): string =>
  chance.pick(['', 'plain', `it's "so"`, '\\ ü 😀', '$1 :a ?', 'null', '********']) + chance.below(4);

/** For each attribute of an item, values that are easily told wrong. */
function someValue({ chance }: Hand): Record<string, readonly unknown[]> {
  return {
    name: [null, '', `q'"`, 'long'.repeat(60), '\\u0041'],
    size: [0, -1, 2_147_483_647],
    big: [null, '9223372036854775807', '-1'],
    worth: [null, '0.00', '12.50', '-9999999999.99'],
    ratio: [null, 0, 1e-9, 12_345.678_9, Number.NaN, Number.POSITIVE_INFINITY],
    ok: [null, true, false],
    meta: [null, [], {}, { a: [1, null, { b: 'ü' }] }, 'text', 0, false, [1.5, 'x']],
    raw: [null, { b: 1, a: 2 }, ['x'], 'text'],
    labels: [null, [], ['a', ''], ['NULL', 'x,"y"', '{}']],
    counts: [null, [], [1, 2, 3], [-1]],
    state: [null, 'new', 'open', 'done'],
    seen: [null, new Date(0), new Date('2026-02-03T04:05:06.789Z'), new Date('1850-01-01T00:00:00Z')],
    day: [null, '2026-02-28', '0099-01-01'],
    at: [null, '00:00:00', '23:59:59.123456'],
    uuid: [null, '00000000-0000-4000-8000-000000000001'],
    bytes: [null, Buffer.alloc(0), Buffer.from('00ff27', 'hex'), Buffer.from(`b${chance.below(9)}`)],
    ip: [null, '10.0.0.1', '10.0.0.0/8', '::1'],
    span: [null, [1, 5], []],
    password: [null, 'one', 'two'],
    hidden: [null, 'x', 'y'],
  };
}

function itemValues(hand: Hand, share: number): Values {
  const all = Object.entries(someValue(hand)).filter(() => hand.chance.happens(share));
  return Object.fromEntries(all.map(([name, values]) => [name, hand.chance.pick(values)]));
}

const pageValues = (hand: Hand): Values => ({
  title: text(hand),
  ...(hand.chance.happens(0.4) ? { itemId: hand.chance.pick([null, itemId(hand)]) } : {}),
});

function load(model: AnyModel, hand: Hand, id: number): Promise<Model | null> {
  return model.findByPk(id, { ...hand.options, paranoid: false });
}

const createItem: Operation = (hand) =>
  hand.models.Item.create({ id: itemId(hand), ...itemValues(hand, 0.6) }, hand.options);
const updateItem: Operation = async (hand) =>
  (await load(hand.models.Item, hand, itemId(hand)))?.update(itemValues(hand, 0.12), hand.options);
const updateItems: Operation = (hand) =>
  hand.models.Item.update(itemValues(hand, 0.12), {
    ...hand.options,
    where: { id: [itemId(hand), itemId(hand), itemId(hand)] },
  });
const upsertItem: Operation = (hand) =>
  hand.models.Item.upsert({ id: itemId(hand), ...itemValues(hand, 0.3) }, hand.options);
const incrementItems: Operation = (hand) =>
  hand.models.Item.update(
    { size: literal('"size" % 1000 + 1') },
    {
      ...hand.options,
      where: { id: itemId(hand) },
    },
  );
const moveItem: Operation = (hand) =>
  hand.models.Item.update({ id: itemId(hand) }, { ...hand.options, where: { id: itemId(hand) } });
const destroyItem: Operation = (hand) =>
  hand.models.Item.destroy({ ...hand.options, where: { id: itemId(hand) } });

const createSlot: Operation = (hand) =>
  hand.models.Slot.create({ ...slot(hand), guest: text(hand) }, hand.options);
const upsertSlot: Operation = (hand) =>
  hand.models.Slot.upsert({ ...slot(hand), guest: text(hand) }, hand.options);
const incrementSlot: Operation = (hand) =>
  hand.models.Slot.increment('count', { ...hand.options, where: slot(hand) });
const destroySlot: Operation = (hand) => hand.models.Slot.destroy({ ...hand.options, where: slot(hand) });

const createPage: Operation = (hand) =>
  hand.models.Page.create({ id: pageId(hand), ...pageValues(hand) }, hand.options);
const updatePage: Operation = async (hand) =>
  (await load(hand.models.Page, hand, pageId(hand)))?.update(pageValues(hand), hand.options);
const updatePages: Operation = (hand) =>
  hand.models.Page.update(pageValues(hand), {
    ...hand.options,
    paranoid: hand.chance.happens(0.5),
    where: { id: [pageId(hand), pageId(hand)] },
  });
const destroyPage: Operation = (hand) =>
  hand.models.Page.destroy({
    ...hand.options,
    where: { id: pageId(hand) },
    force: hand.chance.happens(0.25),
  });
const restorePage: Operation = (hand) =>
  hand.models.Page.restore({ ...hand.options, where: { id: pageId(hand) } });

/** By the end that an association begins at. */
const link: Operation = async (hand) => {
  const { Item, Tag } = hand.models;
  const code = hand.chance.pick(CODES);
  await Tag.upsert({ code, name: text(hand) }, hand.options);
  const item = await load(Item, hand, itemId(hand));
  if (item) await call(item, hand.chance.pick(['addTags', 'setTags', 'removeTags']), [code], hand.options);
};
const unlink: Operation = async (hand) => {
  const tag = await hand.models.Tag.findByPk(hand.chance.pick(CODES), hand.options);
  if (tag) await call(tag, 'setItems', [itemId(hand)], hand.options);
};
const renameTag: Operation = (hand) =>
  hand.models.Tag.update({ name: text(hand) }, { ...hand.options, where: { code: hand.chance.pick(CODES) } });
const destroyTag: Operation = (hand) =>
  hand.models.Tag.destroy({ ...hand.options, where: { code: hand.chance.pick(CODES) } });

const OPERATIONS: readonly (readonly [weight: number, operation: Operation])[] = [
  [6, createItem],
  [8, updateItem],
  [4, updateItems],
  [3, upsertItem],
  [3, incrementItems],
  [1, moveItem],
  [2, destroyItem],
  [4, createSlot],
  [4, upsertSlot],
  [3, incrementSlot],
  [2, destroySlot],
  [6, createPage],
  [5, updatePage],
  [3, updatePages],
  [5, destroyPage],
  [4, restorePage],
  [6, link],
  [2, unlink],
  [1, renameTag],
  [1, destroyTag],
];

/** Constraints that a random write may well break, and deadlocks. */
const EXPECTED = /^Sequelize(UniqueConstraint|ForeignKeyConstraint|Validation|OptimisticLock)Error$/;
const DEADLOCK = '40P01';

function isExpected(error: unknown): boolean {
  const { name, original } = error as { name: string; original?: { code?: string } };
  return EXPECTED.test(name) || original?.code === DEADLOCK;
}

class Undone extends Error {}

async function inTransaction(hand: Hand): Promise<void> {
  const { sequelize } = hand.models.Item;
  await sequelize!.transaction(async (transaction) => {
    for (let left = 1 + hand.chance.below(3); left > 0; left -= 1)
      await hand.chance.weighed(OPERATIONS)({ ...hand, options: { transaction } });
    if (hand.chance.happens(0.4)) throw new Undone();
  });
}

/** One writer's part of a story: so many random operations, some of them in transactions of which some are undone. */
export async function tell(models: StoryModels, chance: Chance, operations: number): Promise<void> {
  const hand: Hand = { models, chance, options: {} };
  for (let left = operations; left > 0; left -= 1) {
    const work = chance.happens(0.2) ? inTransaction(hand) : chance.weighed(OPERATIONS)(hand);
    await Promise.resolve(work).catch((error: unknown) => {
      if (!(error instanceof Undone) && !isExpected(error)) throw error;
    });
  }
}
