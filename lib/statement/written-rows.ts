import { quoteIdentifier, quoteLiteral, quoteTable } from '../schema/quote';
import { hashable, typeOfText } from './encode';
import { namesIn, type ParsedWrite } from './parse-write';
import { newImage, oldImage, type ModelPlan, type PlannedColumn, type StatementSettings } from './plan';
import { assignsKey, imageMode, oldColumns, restingColumns, writesOneRow } from './write-effect';

/** The name of the common table expression that holds the written rows. */
export const WRITTEN = '"!w"';

/** Columns the caller asked for, by name. */
function askedColumns(write: ParsedWrite, plan: ModelPlan): readonly string[] | null {
  const names = write.returning === '*' ? plan.tableColumns : write.returning;
  // Two attributes may be one column, and a common table expression can't name it twice.
  return names && [...new Set(names)];
}

/** The name of the image that is true when a resting column was changed. */
export const REWRITTEN = '"!g"';

type Image = (column: PlannedColumn) => string;

/** Byte by byte, so that no type can't be compared. */
function rewritten(write: ParsedWrite, plan: ModelPlan, before: Image, after: Image): string[] {
  const resting = restingColumns(write, plan);
  if (resting.length === 0) return [];
  const row = (image: Image): string => `row(${list(resting.map(image))})`;
  return [`record_image_ne(${row(before)}, ${row(after)}) as ${REWRITTEN}`];
}

function list(parts: readonly string[]): string {
  return parts.join(', ');
}

/** The asked columns that no image holds: a target list has at most 1,664 entries. */
function asked(write: ParsedWrite, plan: ModelPlan): string[] {
  const names = askedColumns(write, plan) ?? [];
  return names.filter((name) => !columnNamed(name, plan)).map(quoteIdentifier);
}

function columnNamed(name: string, plan: ModelPlan): PlannedColumn | undefined {
  return plan.columns.find((each) => each.column === name);
}

/** The asked columns as a select list over `"!w"`; null when nothing was asked for. */
export function answeredColumns(write: ParsedWrite, plan: ModelPlan): string | null {
  const image = write.kind === 'delete' ? oldImage : newImage;
  const answered = (name: string): string => {
    const column = columnNamed(name, plan);
    return column ? `${image(column)} as ${quoteIdentifier(name)}` : quoteIdentifier(name);
  };
  return askedColumns(write, plan)?.map(answered).join(', ') ?? null;
}

/** Sequelize's own write as common table expressions, the last of them `"!w"`: the asked columns, old and new images. */
export function writtenRows(write: ParsedWrite, plan: ModelPlan, settings: StatementSettings): string[] {
  const mode = imageMode(write);
  if (mode === 'created' || mode === 'deleted') return [oneSided(write, plan, mode)];
  if (settings.returningOldNew) return [bothSided(write, plan)];
  if (mode === 'upserted') return carriedUpsert(write, plan);
  return joinsOldRows(write, plan, settings) ? [lockedUpdate(write, plan)] : carriedUpdate(write, plan);
}

function cte(name: string, body: string, returning: readonly string[]): string {
  return `${name} as (${body} returning ${list(returning)})`;
}

function oneSided(write: ParsedWrite, plan: ModelPlan, mode: 'created' | 'deleted'): string {
  const image = mode === 'created' ? newImage : oldImage;
  const images = plan.columns.map((column) => `${quoteIdentifier(column.column)} as ${image(column)}`);
  return cte(WRITTEN, write.body, [...asked(write, plan), ...images]);
}

/** PostgreSQL 18. The aliases keep tables that are themselves called old or new readable. */
function bothSided(write: ParsedWrite, plan: ModelPlan): string {
  const olds = oldColumns(write, plan).map(
    (column) => `"!old".${quoteIdentifier(column.column)} as ${oldImage(column)}`,
  );
  const news = plan.columns.map(
    (column) => `"!new".${quoteIdentifier(column.column)} as ${newImage(column)}`,
  );
  const rest = rewritten(write, plan, under('"!old"'), under('"!new"'));
  return `${WRITTEN} as (${write.body} returning with (old as "!old", new as "!new") ${list([...asked(write, plan), ...olds, ...news, ...rest])})`;
}

function under(row: string): Image {
  return ({ column }) => `${row}.${quoteIdentifier(column)}`;
}

/** Whether an update reads its rows first and joins them, before PostgreSQL 18: one row is found so in the least time. */
export function joinsOldRows(write: ParsedWrite, plan: ModelPlan, settings: StatementSettings): boolean {
  if (imageMode(write) !== 'updated' || settings.returningOldNew) return false;
  return writesOneRow(write, plan) || !mayCarry(write, plan);
}

/** Words of a condition that may join other rows: then PostgreSQL may gather rows before it knows which are written. */
const SUB_SELECTS = ['select', 'values', 'table'];

/** Whether old rows can be carried as texts; views may hold joins, and links compare with columns of other tables. */
function mayCarry(write: ParsedWrite, plan: ModelPlan): boolean {
  if (write.rowsAreLocked || !plan.isTable || plan.links.length > 0) return false;
  const names = namesIn(write.where ?? '');
  if (SUB_SELECTS.some((word) => names.has(word))) return false;
  return oldColumns(write, plan).every((column) => typeOfText(column) !== null);
}

/**
 * PostgreSQL 15 to 17: the row is read under its lock first, and paired with its new state by the old key, so that the
 * pair is exact also under contention and when the key itself changes. The lock is the one the update takes itself.
 * Only a row whose key another transaction changes while this one waits for it stays out: the outer scan still sees the old key.
 */
function lockedUpdate(write: ParsedWrite, plan: ModelPlan): string {
  const needed = new Set([...oldColumns(write, plan), ...restingColumns(write, plan)]);
  const olds = [...needed].map((column) => `${quoteIdentifier(column.column)} as ${oldImage(column)}`);
  const where = write.where === null ? '' : ` where ${write.where}`;
  const address = write.rowsAreLocked ? [`"tableoid" as "!t"`, `"ctid" as "!c"`] : [];
  const locked = `(select ${list([...olds, ...address])} from ${write.tableText}${where}${plan.isLockable ? ' for no key update' : ''}) "!l"`;
  const table = quoteIdentifier(write.table.table);
  const pair = write.rowsAreLocked
    ? `${table}."tableoid" = "!l"."!t" and ${table}."ctid" = "!l"."!c"`
    : sameKey(plan, table);
  const oldImages = oldColumns(write, plan).map((column) => `"!l".${oldImage(column)}`);
  const newImages = plan.columns.map(
    (column) => `${table}.${quoteIdentifier(column.column)} as ${newImage(column)}`,
  );
  const rest = rewritten(write, plan, (column) => `"!l".${oldImage(column)}`, under(table));
  const body = `update ${write.tableText} set ${write.set} from ${locked} where ${pair}`;
  return cte(WRITTEN, body, [...asked(write, plan), ...oldImages, ...newImages, ...rest]);
}

function sameKey(plan: ModelPlan, table: string): string {
  return plan.keys
    .map((key) => `${table}.${quoteIdentifier(key.column)} = "!l".${oldImage(key)}`)
    .join(' and ');
}

const BEFORE = quoteLiteral('sequelize_auditlog.before');

/**
 * PostgreSQL 15 to 17, many rows: joined, they would be read anew for each of them where PostgreSQL takes them for few. So
 * the WHERE, which sees each row as it is written to, also after waiting for its lock, puts what is needed of it into a
 * transaction-local setting, and RETURNING takes it out again.
 */
function carriedUpdate(write: ParsedWrite, plan: ModelPlan): string[] {
  const own = under(quoteIdentifier(write.table.table));
  const olds = oldColumns(write, plan);
  const hash = restingHash(write, plan, own);
  const body = `update ${write.tableText} set ${write.set} ${carrying(write, [...olds.map(own), ...hash])}`;
  const news = plan.columns.map((column) => `${own(column)} as ${newImage(column)}`);
  const now = hash.map((value) => `${value} as "!hash"`);
  const typed = olds.map((column, at) => `"!old"[${at + 1}]::${typeOfText(column)} as ${oldImage(column)}`);
  const rest = hash.map(() => `"!old"[${olds.length + 1}]::int8 <> "!hash" as ${REWRITTEN}`);
  return [
    cte('"!u"', body, [...asked(write, plan), ...news, ...CARRIED, ...now]),
    `${WRITTEN} as (select "!u".*, ${list([...typed, ...rest])} from "!u")`,
  ];
}

/**
 * FROM and WHERE of an update that carries these values of its row. They are carried when all else is decided, whatever
 * it costs, since that needs a row beside the table's own.
 */
function carrying({ where }: ParsedWrite, values: readonly string[]): string {
  const texts = list(values.map((value) => `${value}::text`));
  const carry = `set_config(${BEFORE}, array[${texts}]::text[]::text || "!x"."!", true) is not null`;
  const condition = where === null ? carry : `(${where}) and ${carry}`;
  return `from (select '' as "!" offset 0) "!x" where ${condition}`;
}

const CARRIED = [
  `current_setting(${BEFORE}, true)::text[] as "!old"`,
  `set_config(${BEFORE}, '', true) as "!cleared"`,
];

/** What tells whether resting columns changed, without carrying what may be large. */
function restingHash(write: ParsedWrite, plan: ModelPlan, image: Image): string[] {
  const resting = restingColumns(write, plan);
  if (resting.length === 0) return [];
  return [`hash_record_extended(row(${list(resting.map((column) => hashable(image(column), column)))}), 0)`];
}

const CARRIER = quoteLiteral('sequelize_auditlog.old');

/**
 * PostgreSQL 15 to 17: only the WHERE of DO UPDATE sees the locked old row of an upsert. It puts the row into a
 * transaction-local setting, RETURNING takes it out again; empty means that the row was inserted.
 */
function carriedUpsert(write: ParsedWrite, plan: ModelPlan): string[] {
  // As PostgreSQL's own text of the row: JSON would refuse what a json column may hold.
  const row = `(${quoteIdentifier(write.table.table)}.*)::text`;
  // A row whose update a trigger vetoes is never taken out: the next one must not take it for its own.
  const tag = quoteLiteral(`${write.tableText} `);
  const body = `${write.body} ${write.where === null ? 'where' : 'and'} set_config(${CARRIER}, ${tag} || ${row}, true) is not null`;
  const news = plan.columns.map((column) => `${quoteIdentifier(column.column)} as ${newImage(column)}`);
  const setting = `current_setting(${CARRIER}, true)`;
  const carried = [
    `case when starts_with(${setting}, ${tag}) then substr(${setting}, length(${tag}) + 1) end as "!old"`,
    `set_config(${CARRIER}, '', true) as "!cleared"`,
  ];
  const typed = oldColumns(write, plan).map((column) => `${carriedValue(column)} as ${oldImage(column)}`);
  const rowType = write.table.schema === null ? plan.rowType : quoteTable(write.table);
  const record = `select "!u"."!old"::${rowType} as "!row"`;
  return [
    cte('"!u"', body, [...asked(write, plan), ...news, ...carried]),
    `${WRITTEN} as (select "!u".*, ${list(typed)} from "!u" left join lateral (${record} offset 0) "!p" on ${isOwnRow(write, plan)})`,
  ];
}

function carriedValue({ column }: PlannedColumn): string {
  return `("!p"."!row").${quoteIdentifier(column)}`;
}

/** Whether the carried row is the one that was written, as far as its key can tell. */
function isOwnRow(write: ParsedWrite, plan: ModelPlan): string {
  if (assignsKey(write, plan)) return 'true';
  return plan.keys.map((key) => `${carriedValue(key)} = "!u".${newImage(key)}`).join(' and ') || 'true';
}
