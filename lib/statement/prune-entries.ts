import { quoteIdentifier, quoteTable, type TableName } from '../schema/quote';
import { keyOfText, type DecodedKey } from './past-values';

/** A history table as the choice of entries sees it. */
export interface PrunedVersions {
  readonly table: TableName;
  /** In key order, with the types of the history table. */
  readonly keys: readonly (DecodedKey & { readonly column: string })[];
}

/** Entries of one model that are looked through for those that nobody needs any more. */
export interface EntriesToPrune {
  readonly log: TableName;
  /** Null when the model has none, or is not registered. */
  readonly versions: PrunedVersions | null;
  /** Whether entries may tell of links, which no version holds. */
  readonly hasLinks: boolean;
  /** The newest so many of every object stay. */
  readonly keepLast: number;
}

/** One page, as `entriesPage` answers it. */
export interface EntriesPage {
  /** How many old entries were looked at. */
  readonly seen: number;
  /** The object and the id of the last of them. */
  readonly lastPk: string | null;
  readonly lastId: string | null;
  /** What may go, in the order of objects and ids. */
  readonly ids: readonly string[];
  /** Of the last object, the entries behind the page that must stay. */
  readonly kept: readonly string[];
}

/*
 * A page goes by object, and of each object from the oldest entry to the newest: an object that was removed in part still ends with
 * what tells that it is gone. What must stay is found once per object, over all its old entries at a time; of an object that goes
 * on behind the page it is handed on, or an object with very many entries would be read anew for each of its pages.
 *
 * Binds: `$1` model, `$2` the time, `$3` the highest id of an older entry, `$4` and `$5` the object and id behind which the page
 * begins, `$6` its size, `$7` the object of which is known what must stay, `$8` what that is.
 */

/** SQL: the entry `e` is of the model, and old. By id too, which the index knows: of young entries then nothing more is read. */
function isOld(e: string): string {
  return `${e}."model" = $1::text and ${e}."id" <= $3::bigint and ${e}."timestamp" < $2::timestamptz`;
}

/** SQL: a delete of the row itself. A soft one gives `deletedAt` a value, and no other delete gives anything one. */
function isHardDelete(e: string): string {
  const setsValue = `coalesce(jsonb_path_exists(${e}."changes", '$.*[1] ? (@ != null)'), false)`;
  return `(${e}."action" = 'delete' and not ${setsValue})`;
}

/** SQL: a life of the object begins, or ends. */
function isBoundary(e: string): string {
  return `(${e}."action" = 'create' or ${isHardDelete(e)})`;
}

/** A key that entries were stored under before its column had another type must not end the work. */
const SAFE_KEYS: Readonly<Record<string, readonly [pattern: string, type: string]>> = {
  int2: ['^-?[0-9]{1,18}$', 'bigint'],
  int4: ['^-?[0-9]{1,18}$', 'bigint'],
  int8: ['^-?[0-9]{1,18}$', 'bigint'],
  uuid: ['^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', 'uuid'],
};

function keyPart(text: string, key: DecodedKey): string {
  const [pattern, type] = SAFE_KEYS[key.valueType] ?? [];
  if (pattern === undefined) return keyOfText(text, key);
  return `case when ${text} ~ '${pattern}' then (${text})::${type} end`;
}

/** SQL: the version `h` is of the object whose key is `pk`. */
function isOfObject({ keys }: PrunedVersions, pk: string): string {
  const list = `(case when ${pk} ~ '^\\[".*"\\]$' then ${pk}::jsonb end)`;
  const partOf = (at: number): string => (keys.length === 1 ? pk : `(${list} ->> ${at})`);
  return keys
    .map((key, at) => `h.${quoteIdentifier(key.column)} = ${keyPart(partOf(at), key)}`)
    .join(' and ');
}

/** SQL: an old version tells of the object `o`: its entries tell nothing more of the row. */
function isVersioned({ versions }: EntriesToPrune): string {
  if (versions === null) return 'false';
  const ofObject = isOfObject(versions, 'o."object_pk"');
  const version = `select true from ${quoteTable(versions.table)} h where ${ofObject} and h."history_date" < $2::timestamptz limit 1`;
  return `(${version}) is not null`;
}

/** SELECT of the objects of the page of which it is to be found what must stay. */
function objects(source: EntriesToPrune): string {
  const others = `select distinct "object_pk" from "!p" where "object_pk" is distinct from $7::text`;
  return `select o."object_pk", ${isVersioned(source)} as "isVersioned" from (${others}) o`;
}

/** SELECT of the page. */
function page({ log }: EntriesToPrune): string {
  const behind = `(e."object_pk", e."id") > ($4::text, $5::bigint)`;
  return `select e."object_pk", e."id" from ${quoteTable(log)} e where ${isOld('e')} and ${behind} order by e."object_pk", e."id" limit $6::int`;
}

/**
 * SELECT of all old entries of the page's objects that tell what happened to a row, and of which life of it. By windows, not by
 * joins: PostgreSQL takes parts of a statement for small, and would compare each row with each.
 */
function lives({ log, hasLinks }: EntriesToPrune): string {
  // Of an object with a version no entry stays, unless for links: what it went through need not be read.
  const isAsked = hasLinks ? '' : ' and not o."isVersioned"';
  const changes = `case when jsonb_typeof(e."changes") = 'object' then e."changes" end as "changes"`;
  const flags = `${isBoundary('e')} as "boundary", ${isHardDelete('e')} as "gone"`;
  const entries = `select e."id", e."object_pk", o."isVersioned", e."action", ${changes}, e."additional_data" as "data", ${flags} from "!o" o join ${quoteTable(log)} e on e."object_pk" = o."object_pk" and ${isOld('e')} and e."action" in ('create', 'update', 'delete')${isAsked}`;
  const life = `count(*) filter (where e."boundary") over (partition by e."object_pk" order by e."id" rows unbounded preceding)`;
  const newest = 'max(e."id") over (partition by e."object_pk")';
  const numbered = `select e.*, ${life} as "life", ${newest} as "newest" from (${entries}) e`;
  const ofObject = 'over (partition by e."object_pk")';
  const isAlive = `e."life" = max(e."life") ${ofObject} and not bool_or(e."gone" and e."id" = e."newest") ${ofObject}`;
  const isMoved = `bool_or(e."action" = 'create' and coalesce(e."data" ? 'movedFrom', false)) over (partition by e."object_pk", e."life")`;
  return `select e.*, ${isAlive} as "isAlive", ${isMoved} as "isMoved" from (${numbered}) e`;
}

/**
 * SELECT of the lives under a former key whose links came along: the row has the next key still, or handed it on itself. `d` took the
 * key away, `c` gave the next one.
 */
function movedLives({ log }: EntriesToPrune): string {
  const table = quoteTable(log);
  const next = `x."model" = $1::text and x."object_pk" = c."object_pk" and x."id" > c."id"`;
  const handedOn = `select coalesce(x."additional_data" ? 'movedTo', false) from ${table} x where ${next} and ${isOld('x')} and ${isBoundary('x')} order by x."id" limit 1`;
  const came = `select true from ${table} c where c."model" = $1::text and c."object_pk" = d."data" ->> 'movedTo' and c."id" > d."id" and c."action" = 'create' and c."additional_data" ->> 'movedFrom' = d."object_pk" and coalesce((${handedOn}), true) limit 1`;
  return `select d."object_pk", d."life" - 1 as "life" from "!l" d where d."gone" and d."data" ? 'movedTo' and (${came})`;
}

/** SQL: the entry is of a life whose links are needed: the last one of an object that is there, or one whose links came along. */
const HAS_LINKS = `(l."isAlive" or exists (select from "!n" n where n."object_pk" = l."object_pk" and n."life" = l."life"))`;

/** SELECT of the newest entry of an object, and the newest that names each attribute: without versions, the row is made of these. */
function keptForRows(): string {
  const living = `"!l" l where l."isAlive" and not l."isVersioned"`;
  const pairs = `(select l.* from ${living} offset 0) l cross join lateral jsonb_each(l."changes") j where jsonb_typeof(j."value") = 'array'`;
  return `select l."newest" as "id" from ${living} union select max(l."id") from ${pairs} group by l."object_pk", j."key"`;
}

/** SELECT of what entries of needed lives did to links, what went first, as `step`; `rank` counts the steps of each link. */
function linkSteps(): string {
  const list = (name: string): string =>
    `jsonb_array_elements(case when j."value" ->> 'type' = 'm2m' then j."value" -> '${name}' end) x`;
  const steps = `select 0 as "part", -1 as "step", x ->> 'pk' as "pk" from ${list('removed')} union all select 1, 1, x ->> 'pk' from ${list('added')}`;
  const link = 'partition by l."object_pk", l."life", j."key", s."pk" order by l."id", s."part"';
  const windows = [
    `row_number() over (${link}) as "rank"`,
    `sum(s."step") over (${link} rows unbounded preceding) as "count"`,
    `lead(l."id") over (${link}) as "next"`,
  ];
  return `select l."object_pk", l."life", l."isMoved", l."id", j."key", s."pk", ${windows.join(', ')} from (select l.* from "!l" l where ${HAS_LINKS} offset 0) l cross join lateral jsonb_each(l."changes") j cross join lateral (${steps}) s where jsonb_typeof(j."value") = 'object'`;
}

/**
 * SELECT of the entries behind the last at which a link was not there: those before have no say. A count may begin below zero, as
 * a link that goes without having come was there from the beginning. Where links came along from another key, whose entries still tell
 * of them, that last one must tell that it went.
 */
function keptForLinks(): string {
  const link = 'partition by m."object_pk", m."life", m."key", m."pk"';
  const lowest = `select m.*, least(min(m."count") over (${link}), 0) as "lowest" from "!m" m`;
  const absent = `select m.*, coalesce(max(m."rank") filter (where m."count" = m."lowest") over (${link}), 0) as "absent" from (${lowest}) m`;
  return `select m."id" from (${absent}) m where m."rank" > m."absent" or m."isMoved" and m."rank" = m."absent"`;
}

/** SELECT of what leads from a key to the one before: the delete there and the create here. */
function keptForMoves(): string {
  const came = `select l."id" from "!l" l where l."action" = 'create' and l."data" ? 'movedFrom' and ${HAS_LINKS}`;
  const went = `select l."id" from "!l" l join "!n" n on n."object_pk" = l."object_pk" and n."life" = l."life" - 1 where l."gone"`;
  return `${came} union all ${went}`;
}

/**
 * The expressions that find what must stay. An entry that stays for one link may name others, which later entries tell more of: these
 * stay too.
 */
function kept(source: EntriesToPrune): string[] {
  if (!source.hasLinks) return [`"!c" as materialized (${keptForRows()})`];
  const seeds = `select "id" from (${keptForRows()} union all ${keptForLinks()} union all ${keptForMoves()}) "!s"`;
  const later = `select m."next" from "!c" c join "!m" m on m."id" = c."id" where m."next" is not null`;
  return [
    `"!n" as materialized (${movedLives(source)})`,
    `"!m" as materialized (${linkSteps()})`,
    `"!c"("id") as (${seeds} union ${later})`,
  ];
}

/** SQL: the entry is none of the newest of its object. */
function isSpare({ log, keepLast }: EntriesToPrune): string {
  if (keepLast === 0) return 'true';
  const nth = `select e."id" from ${quoteTable(log)} e where e."model" = $1::text and e."object_pk" = p."object_pk" order by e."id" desc offset ${keepLast - 1} limit 1`;
  return `p."id" < (${nth})`;
}

/**
 * SELECT of the rows of `rows` (`object_pk`, `id`) that must stay, or that need not. By grouping, not by IN: that is answered by
 * going through all of `!k` for each row where PostgreSQL takes it for large, or all else for small.
 */
function sorted(rows: string, stays: boolean): string {
  const both = `select r."object_pk", r."id", true as "given", false as "kept" from (${rows}) r union all select null, k."id", false, true from "!k" k`;
  return `select max(b."object_pk") as "object_pk", b."id" from (${both}) b group by b."id" having bool_or(b."given") and bool_or(b."kept") = ${stays}`;
}

/** One page of old entries: which of them nobody needs, and where it ends. */
export function entriesPage(source: EntriesToPrune): string {
  const last = `select "object_pk", "id" from "!p" order by "object_pk" desc, "id" desc limit 1`;
  const expressions = [
    `"!p" as materialized (${page(source)})`,
    `"!z" as materialized (${last})`,
    `"!o" as materialized (${objects(source)})`,
    `"!l" as materialized (${lives(source)})`,
    ...kept(source),
    `"!k" as materialized (select "id" from "!c" union select unnest($8::bigint[]))`,
  ];
  const spare = sorted(`select "object_pk", "id" from "!p"`, false);
  const doomed = `select array_agg(p."id"::text order by p."object_pk", p."id") from (${spare}) p where ${isSpare(source)}`;
  const behind = `select l."object_pk", l."id" from "!l" l, "!z" z where l."object_pk" = z."object_pk" and l."id" > z."id"`;
  const found = `select f."id" from (${sorted(behind, true)}) f`;
  const known = `select i from unnest($8::bigint[]) i, "!z" z where z."object_pk" = $7::text and i > z."id"`;
  const handedOn = `select array_agg("id"::text) from (${found} union all ${known}) "!h"`;
  const columns = [
    `(select count(*)::int from "!p") as "seen"`,
    `(select "object_pk" from "!z") as "lastPk"`,
    `(select "id"::text from "!z") as "lastId"`,
    `coalesce((${doomed}), '{}') as "ids"`,
    `coalesce((${handedOn}), '{}') as "kept"`,
  ];
  return `with recursive ${expressions.join(', ')} select ${columns.join(', ')}`;
}

/**
 * As `entriesPage`, of entries that are about no object, which nobody needs once they are old, unless they are marks of a prune.
 * Binds: `$4` the id behind which the page begins, `$5` its size.
 */
export function pageWithoutObject({ log }: Pick<EntriesToPrune, 'log'>): string {
  const rows = `select e."id" from ${quoteTable(log)} e where ${isOld('e')} and e."object_pk" is null and e."action" <> 'prune' and e."id" > $4::bigint order by e."id" limit $5::int`;
  const ids = `coalesce(array_agg("id"::text order by "id"), '{}')`;
  return `select count(*)::int as "seen", null as "lastPk", max("id")::text as "lastId", ${ids} as "ids", '{}'::text[] as "kept" from (${rows}) "!p"`;
}
