import { quoteIdentifier, quoteLiteral, quoteTable } from '../schema/quote';
import type { ContextBinds } from './context-binds';
import { objectPk, objectRepr } from './delta';
import { textOf } from './encode';
import { entryValues, insertFrom, nextId, waitFor, type ImageSource } from './entries';
import {
  newImage,
  oldImage,
  type LinkPlan,
  type ModelPlan,
  type PlannedColumn,
  type StatementSettings,
} from './plan';

type Image = (column: PlannedColumn) => string;

/** Values of a row under an alias. */
function under(alias: string): Image {
  return (column) => `${alias}.${quoteIdentifier(column.column)}`;
}

/** Rows of the through table that came or went; a soft delete of one is a link that went. */
function linkRows(link: LinkPlan, source: ImageSource, image: Image, isAdded: boolean): string {
  const others = image === newImage ? oldImage : newImage;
  const conditions = [isThere(link, source.plan, image)];
  const isPaired = source.mode === 'updated' || source.mode === 'upserted';
  if (isPaired) conditions.push(`not (${isThere(link, source.plan, others)}${sameLink(link, source)})`);
  const columns = `${image(link.ownerLink)} as "owner", ${image(link.targetLink)} as "target", ${isAdded} as "added"`;
  return `select ${columns} from ${source.from} where ${conditions.join(' and ')}`;
}

/** Whether an image of the row is a link of this association: both ends set, in its scope, not soft-deleted. */
function isThere({ ownerLink, targetLink, scope }: LinkPlan, through: ModelPlan, image: Image): string {
  const ends = [`${image(ownerLink)} is not null`, `${image(targetLink)} is not null`];
  const scoped = scope.map(
    ({ column, value }) => `${textOf(image(column), column)} = ${quoteLiteral(value)}`,
  );
  const alive = through.deletedAt ? [`${image(through.deletedAt)} is null`] : [];
  return `(${[...ends, ...scoped, ...alive].join(' and ')}) is true`;
}

function sameLink({ ownerLink, targetLink }: LinkPlan, { follows }: ImageSource): string {
  return [ownerLink, targetLink]
    .filter(({ column }) => follows?.has(column) !== true)
    .map((column) => ` and ${oldImage(column)} is not distinct from ${newImage(column)}`)
    .join('');
}

/** What came and what went, from the images that the write has. */
function changedLinks(link: LinkPlan, source: ImageSource): string {
  const parts: string[] = [];
  if (source.mode !== 'created') parts.push(linkRows(link, source, oldImage, false));
  if (source.mode !== 'deleted') parts.push(linkRows(link, source, newImage, true));
  return parts.join(' union all ');
}

/** One end of a link as JSON; a target that is gone is shown by its key. */
function linkedObject({ target, targetColumn, targetLink }: LinkPlan): string {
  const image = under('"!g"');
  const key = `"!g".${quoteIdentifier(targetColumn)}`;
  const link = textOf('"!k"."target"', targetLink);
  const pk = `case when ${key} is null then ${link} else ${objectPk(target, image)} end`;
  const repr = `case when ${key} is null then ${quoteLiteral(`${target.name} `)} || ${link} else ${objectRepr(target, image)} end`;
  return `jsonb_build_object('pk', ${pk}, 'repr', ${repr})`;
}

function aggregated(link: LinkPlan, condition: string): string {
  return `coalesce(jsonb_agg(${linkedObject(link)} order by "!k"."target"::text) filter (where ${condition}), '[]')`;
}

/** Owners that the same statement removes get no entry of their links: their own delete says it all. */
function stillThere({ owner }: LinkPlan, gone: readonly ImageSource[]): string {
  const removed = gone.filter(
    (source) => source.mode === 'deleted' && source.plan.name === owner.name && source.plan.isLogged,
  );
  const key = owner.keys.map((each) => `"!p".${quoteIdentifier(each.column)}`).join(', ');
  const conditions = removed.map((source) => {
    return `(${key}) not in (select ${source.plan.keys.map(oldImage).join(', ')} from ${source.from})`;
  });
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}

/** Links that came and went, gathered per owner before the owner's row is read. */
function linksByOwner(link: LinkPlan, source: ImageSource): string {
  const target = `left join ${quoteTable(link.target.table)} "!g" on "!g".${quoteIdentifier(link.targetColumn)} = "!k"."target"`;
  const [added, removed] = [aggregated(link, '"!k"."added"'), aggregated(link, 'not "!k"."added"')];
  const lists = `jsonb_build_object('type', 'm2m', 'added', ${added}, 'removed', ${removed})`;
  return `select "!k"."owner", ${lists} as "links" from (${changedLinks(link, source)}) "!k" ${target} group by "!k"."owner"`;
}

function ownerRows(link: LinkPlan, source: ImageSource, all: readonly ImageSource[]): string {
  const image = under('"!p"');
  const changes = `jsonb_build_object(${quoteLiteral(link.association)}, "!a"."links")`;
  const columns = `${objectPk(link.owner, image)} as "pk", ${objectRepr(link.owner, image)} as "repr", ${changes} as "changes"`;
  const owner = `${quoteTable(link.owner.table)} "!p" on "!p".${quoteIdentifier(link.ownerColumn)} = "!a"."owner"`;
  return `select ${columns} from (${linksByOwner(link, source)}) "!a" join ${owner}${stillThere(link, all)} order by 1`;
}

/**
 * The common table expressions that store one entry per owner whose links the rows in `source.from` added or removed.
 *
 * @param all every source of the statement, among them those that remove owners
 */
export function linkExpressions(
  source: ImageSource,
  all: readonly ImageSource[],
  settings: StatementSettings,
  binds: ContextBinds,
): string[] {
  const links = source.plan.links.filter((link) => link.owner.actions.has('update'));
  return links.map((link, at) => {
    const row = {
      id: nextId(settings),
      at: '"!t"."at"',
      action: `'update'`,
      model: quoteLiteral(link.owner.name),
      pk: '"!r"."pk"',
      repr: '"!r"."repr"',
      changes: '"!r"."changes"',
      additionalData: binds.additionalData,
    };
    const from = `(${ownerRows(link, source, all)}) "!r", "!t"${waitFor(source.after ?? [])}`;
    return `"!m${source.suffix}_${at}" as (${insertFrom(quoteTable(settings.log), entryValues(row, binds), from)})`;
  });
}
