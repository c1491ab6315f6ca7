import type { Sequelize, WhereOptions } from 'sequelize';
import type { LogEntryAttributes } from '../../core/types';
import { inIndex, type IndexedValue } from '../../history/in-index-order';
import { givenTime, timeSql } from '../../history/point-in-time';
import { runtimeOf } from '../../schema/sequelize-runtime';
import { localTimeSql } from '../../statement/local-time';
import { agoSql } from '../../statement/log-search';
import { CHOICE_KEYS, type ChoiceKey, type EntryFilter, type TimeBound } from './entry-filter';

/** What a search must not tell, since its visitor doesn't see it. */
export interface Unseen {
  /** Models whose attribute of this name is hidden: `field:` doesn't find their entries by it. */
  readonly modelsHiding: (attribute: string) => readonly string[];
  /** Models whose `objectRepr` is made of hidden attributes: free text isn't looked for in it. */
  readonly modelsHidingRepr: readonly string[];
}

/** What a filter needs to become a condition. */
export interface SearchContext {
  readonly sequelize: Sequelize;
  readonly unseen?: Unseen | null | undefined;
  /** Values of `actor` that are ids: labels are not looked at for them. */
  readonly actorIds?: ReadonlySet<string>;
  /** The value by whose index the entries are read. */
  readonly indexed?: IndexedValue | null;
}

type EntryWhere = WhereOptions<LogEntryAttributes>;

/** A comparison and the attribute that it is about, which must not be null for an entry to match. */
interface Comparison {
  readonly attribute: keyof LogEntryAttributes;
  readonly where: object;
}

/** Compares entries with values; one that matches is enough. */
type Compare = (context: SearchContext, values: readonly string[]) => Comparison[];

/** Words for entries without an actor; their sentences call them the system's. */
const NOBODY = new Set(['system', 'null']);

/** Somewhere in a text, in whatever case: of the value nothing is a wildcard. */
function like(
  context: SearchContext,
  attribute: Comparison['attribute'],
  before: string,
  value: string,
): Comparison {
  const { Op } = runtimeOf(context.sequelize);
  const pattern = `${before}${value.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return { attribute, where: { [attribute]: { [Op.iLike]: pattern } } };
}

function equals(attribute: Comparison['attribute']): Compare {
  return ({ sequelize, indexed }, values) => {
    const isIndexed = indexed?.attribute === attribute && values.length === 1 && values[0] === indexed.value;
    if (isIndexed) return [{ attribute, where: inIndex(sequelize, indexed) }];
    return [{ attribute, where: { [attribute]: { [runtimeOf(sequelize).Op.in]: values } } }];
  };
}

/** The only model, or the only actor known by id, that a filter asks for: the log has an index of its entries by id. */
export function indexedValueOf(filter: EntryFilter, actorIds: ReadonlySet<string>): IndexedValue | null {
  const [actor, ...otherActors] = filter.actor?.any ?? [];
  if (actor !== undefined && otherActors.length === 0 && actorIds.has(actor))
    return { attribute: 'actorId', value: actor };
  const [model, ...otherModels] = filter.model?.any ?? [];
  return model !== undefined && otherModels.length === 0 ? { attribute: 'model', value: model } : null;
}

/** By id; a value that is no actor's id is a label, or how it begins. */
function compareActor(context: SearchContext, values: readonly string[]): Comparison[] {
  const labels = values.filter((value) => !context.actorIds?.has(value));
  const isNobody = labels.some((value) => NOBODY.has(value.toLowerCase()));
  return [
    ...equals('actorId')(context, values),
    ...labels.map((label) => like(context, 'actorLabel', '', label)),
    ...(isNobody ? [{ attribute: 'id', where: { actorId: null } } as const] : []),
  ];
}

/** No entry of these models. */
function notOf({ sequelize }: SearchContext, models: readonly string[]): object[] {
  return models.length === 0 ? [] : [{ model: { [runtimeOf(sequelize).Op.notIn]: models } }];
}

function compareField(context: SearchContext, values: readonly string[]): Comparison[] {
  const { sequelize, unseen } = context;
  const { Op } = runtimeOf(sequelize);
  return values.map((name) => {
    // The function behind the operator `?`, which Sequelize would take for a replacement.
    const exists = sequelize.where(
      sequelize.fn('jsonb_exists', sequelize.col('changes'), name),
      true as never,
    );
    return {
      attribute: 'changes',
      where: { [Op.and]: [exists, ...notOf(context, unseen?.modelsHiding(name) ?? [])] },
    };
  });
}

function compareAddress({ sequelize }: SearchContext, values: readonly string[]): Comparison[] {
  return values.map((network) => {
    const inet = sequelize.cast(network, 'inet');
    const within = sequelize.fn('network_subeq', sequelize.col('remote_addr'), inet);
    return { attribute: 'remoteAddr', where: sequelize.where(within, true as never) };
  });
}

const compareReason: Compare = (context, values) =>
  values.map((value) => like(context, 'reason', '%', value));

const compareText: Compare = (context, values) => {
  const { Op } = runtimeOf(context.sequelize);
  const visible = notOf(context, context.unseen?.modelsHidingRepr ?? []);
  const reprs = values.map((value) => like(context, 'objectRepr', '%', value));
  return [
    ...reprs.map((repr) => ({ ...repr, where: { [Op.and]: [repr.where, ...visible] } })),
    ...compareReason(context, values),
  ];
};

const COMPARISONS: Readonly<Record<ChoiceKey, Compare>> = {
  model: equals('model'),
  pk: equals('objectPk'),
  actor: compareActor,
  action: equals('action'),
  field: compareField,
  correlationId: equals('correlationId'),
  transactionId: equals('transactionId'),
  ip: compareAddress,
  reason: compareReason,
};

function matching(context: SearchContext, compare: Compare, values: readonly string[]): object[] {
  const { Op } = runtimeOf(context.sequelize);
  return values.length === 0 ? [] : [{ [Op.or]: compare(context, values).map(({ where }) => where) }];
}

function without(context: SearchContext, compare: Compare, values: readonly string[]): object[] {
  const { Op } = runtimeOf(context.sequelize);
  if (values.length === 0) return [];
  return compare(context, values).map(({ attribute, where }) => ({
    [Op.not]: { [Op.and]: [{ [attribute]: { [Op.not]: null } }, where] },
  }));
}

/** A bound as SQL of its instant. */
export function boundSql({ at, zone }: TimeBound): string {
  if (zone !== null) return localTimeSql(at, zone);
  const [, count, unit] = /^(\d+)([mhdw])$/.exec(at) ?? [];
  return unit === undefined ? timeSql(givenTime('time', at)) : agoSql(Number(count), unit as 'd');
}

function withinTime({ sequelize }: SearchContext, { since, until }: EntryFilter): object[] {
  const { Op, literal } = runtimeOf(sequelize);
  return [
    ...(since ? [{ timestamp: { [Op.gte]: literal(boundSql(since)) } }] : []),
    ...(until ? [{ timestamp: { [Op.lt]: literal(boundSql(until)) } }] : []),
  ];
}

/** A filter as a condition over entries: made of known columns only, with values that Sequelize escapes. */
export function entryWhere(filter: EntryFilter, context: SearchContext): EntryWhere {
  const { Op } = runtimeOf(context.sequelize);
  const choices = CHOICE_KEYS.flatMap((key) => {
    const { any = [], none = [] } = filter[key] ?? {};
    const compare = COMPARISONS[key];
    return [...matching(context, compare, any), ...without(context, compare, none)];
  });
  const { all = [], none = [] } = filter.text ?? {};
  const texts = all.flatMap((text) => matching(context, compareText, [text]));
  const conditions = [
    ...choices,
    ...withinTime(context, filter),
    ...texts,
    ...without(context, compareText, none),
  ];
  return { [Op.and]: conditions } as EntryWhere;
}
