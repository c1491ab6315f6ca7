import type { CapturedAction } from '../core/types';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../schema/quote';
import type { ContextBinds } from './context-binds';
import { createdDelta, deletedDelta, objectPk, objectRepr, updatedDelta, versionValue } from './delta';
import { differs } from './encode';
import { newImage, oldImage, type ModelPlan, type PlannedColumn, type StatementSettings } from './plan';
import type { ImageMode } from './write-effect';
import { REWRITTEN } from './written-rows';

/** Rows whose images stand in a common table expression, to be turned into entries and versions. */
export interface ImageSource {
  /** Name of the expression with the images. */
  readonly from: string;
  /** Keeps the names of several sources in one statement apart. */
  readonly suffix: string;
  readonly mode: ImageMode;
  /** Whether the statement may have changed the primary key. */
  readonly mayMoveKey: boolean;
  /** Whether it is the statement's only source and holds one row at most: then no other row has to be waited for. */
  readonly isOneRow?: boolean;
  /** Of an update, the columns that are compared, and whether the image `REWRITTEN` watches over the others; all by default. */
  readonly compared?: { readonly columns: readonly PlannedColumn[]; readonly isGuarded: boolean };
  /** Columns that follow a changed key: such a row is still of the same objects. */
  readonly follows?: ReadonlySet<string>;
  readonly plan: ModelPlan;
  /** Expressions whose entries get their ids first: PostgreSQL runs the inserts of one statement in any order. */
  readonly after?: readonly string[];
}

/** The rows of a source that are logged, with their ids. */
export function loggedName({ suffix }: ImageSource): string {
  return `"!d${suffix}"`;
}

/** A join that makes rows wait for other expressions and adds nothing. */
export function waitFor(names: readonly string[]): string {
  return names.map((name, at) => `, (select count(*) from ${name}) "!y${at}"`).join('');
}

/** One way in which a written row becomes an entry. */
interface Branch {
  readonly action: string;
  readonly image: (column: PlannedColumn) => string;
  readonly delta: string;
  readonly where: string | null;
  /** Data of this row that is merged over the context's. */
  readonly extra?: string;
}

function actionOf(action: CapturedAction): string {
  return `'${action}'`;
}

/** On a paranoid model, `deletedAt` going from null is a delete, whichever method was called. */
function updateAction(plan: ModelPlan): string {
  if (!plan.deletedAt) return actionOf('update');
  const [before, after] = [oldImage(plan.deletedAt), newImage(plan.deletedAt)];
  return `case when ${before} is null and ${after} is not null then 'delete' else 'update' end`;
}

function upsertAction(plan: ModelPlan): string {
  return `case when ${firstOldKey(plan)} is null then 'create' else ${updateAction(plan)} end`;
}

function firstOldKey(plan: ModelPlan): string {
  const [key] = plan.keys;
  return key ? oldImage(key) : 'null';
}

function keyMoved({ mode, plan }: ImageSource): string {
  // As the object's key shows it: "a" and "A" are one citext, but two keys.
  const moved = plan.keys.map((key) => differs(oldImage(key), newImage(key), key)).join(' or ');
  return mode === 'upserted' ? `${firstOldKey(plan)} is not null and (${moved})` : moved;
}

function branches(source: ImageSource): Branch[] {
  const { mode, plan, mayMoveKey } = source;
  const columns = plan.columns.filter((column) => column.inDelta);
  const created = { image: newImage, delta: createdDelta(columns), where: null };
  if (mode === 'created') return [{ ...created, action: actionOf('create') }];
  const deleted = { image: oldImage, delta: deletedDelta(columns), where: null };
  if (mode === 'deleted') return [{ ...deleted, action: actionOf('delete') }];
  const action = mode === 'updated' ? updateAction(plan) : upsertAction(plan);
  const updated = { action, image: newImage, delta: comparison(source, columns), where: null };
  if (!mayMoveKey) return [updated];
  const moved = keyMoved(source);
  return [{ ...updated, where: `not (${moved})` }, ...movedBranches(source, moved, { created, deleted })];
}

/** What differs; a change where the statement is sure to make none has to be looked at with other eyes. */
function comparison({ compared, plan }: ImageSource, columns: readonly PlannedColumn[]): string {
  if (!compared?.isGuarded) return updatedDelta(compared?.columns ?? columns);
  return `case when ${REWRITTEN} then ${refusal(plan)} else ${updatedDelta(compared.columns)} end`;
}

/** A text that an error carries when a trigger changed a column which was not expected to change. */
export const UNEXPECTED_CHANGE = 'sequelize-auditlog: a column changed that the statement does not assign to';

/** An expression that fails once it is reached; PostgreSQL must not compute it before. */
function refusal(plan: ModelPlan): string {
  return `(${quoteLiteral(UNEXPECTED_CHANGE)} || ${objectPk(plan, newImage)})::integer::text`;
}

/** A changed key is the end of one object and the beginning of another; each names the other. */
function movedBranches(
  { plan }: ImageSource,
  where: string,
  { created, deleted }: Record<'created' | 'deleted', Omit<Branch, 'action'>>,
): Branch[] {
  const naming = (name: string, pk: string): string => `jsonb_build_object('${name}', ${pk})`;
  const gone = naming('movedTo', objectPk(plan, newImage));
  const come = naming('movedFrom', objectPk(plan, oldImage));
  return [
    { ...deleted, action: actionOf('delete'), where, extra: gone },
    { ...created, action: actionOf('create'), where, extra: come },
  ];
}

/** Columns of the history table that a version fills. */
function versionColumns(plan: ModelPlan): readonly PlannedColumn[] {
  return plan.history ? plan.columns.filter((column) => column.inVersion) : [];
}

function branchSelect(branch: Branch, source: ImageSource): string {
  const { plan } = source;
  const versions = versionColumns(plan).map(
    (column) => `${versionValue(column, branch.image)} as ${newImage(column)}`,
  );
  const columns = [
    `${branch.action} as "action"`,
    `${objectPk(plan, branch.image)} as "pk"`,
    `${objectRepr(plan, branch.image)} as "repr"`,
    `${branch.delta} as "delta"`,
    ...(source.mayMoveKey ? [`${branch.extra ?? 'null::jsonb'} as "extra"`] : []),
    ...versions,
  ];
  const where = branch.where === null ? '' : ` where ${branch.where}`;
  return `select ${columns.join(', ')} from ${source.from}${where}`;
}

/** Rows that leave an entry: those that differ, with an action that is kept. */
function entryCondition(plan: ModelPlan): string {
  const differing = `"!b"."delta" <> ''`;
  if (plan.actions.size === 3) return differing;
  const actions = [...plan.actions].map((action) => quoteLiteral(action));
  return actions.length === 0 ? 'false' : `${differing} and "!b"."action" in (${actions.join(', ')})`;
}

/**
 * The instant of a statement, taken after all its rows are locked: `now()` would date a write that waited for a lock
 * before the one it waited for.
 */
export function clock(written: string): string {
  return `"!t" as materialized (select clock_timestamp() as "at" from (select count(*) from ${written}) "!z")`;
}

/** The same of a single row, where it costs less: the first time that is asked for, the row has been read. */
const CLOCK_OF_ONE = '(select clock_timestamp())';

export function nextId({ logSequence }: StatementSettings): string {
  return `nextval(${quoteLiteral(logSequence)}::regclass)`;
}

/** The rows to log with their ids: drawn here, once, so that entry and version share them without a join. */
function loggedRows(source: ImageSource, settings: StatementSettings): string {
  const selects = branches(source).map((branch) => branchSelect(branch, source));
  // OFFSET 0 keeps the delta from being computed twice, for the condition and for the entry.
  const rows = selects.length === 1 ? `${selects[0]} offset 0` : `${selects.join(' union all ')} offset 0`;
  const id = `${nextId(settings)} as "id"`;
  const at = source.isOneRow ? CLOCK_OF_ONE : '"!t"."at"';
  const from = `(${rows}) "!b"${source.isOneRow ? '' : ', "!t"'}${waitFor(source.after ?? [])}`;
  return `${loggedName(source)} as materialized (select ${id}, ${at} as "at", "!b".* from ${from} where ${entryCondition(source.plan)})`;
}

function entryInsert(source: ImageSource, settings: StatementSettings, binds: ContextBinds): string {
  const row: EntryRow = {
    id: '"id"',
    at: '"at"',
    action: '"action"',
    model: quoteLiteral(source.plan.name),
    pk: '"pk"',
    repr: '"repr"',
    changes: `('{' || "delta" || '}')::jsonb`,
    additionalData: additionalData(source, binds),
  };
  const from = loggedName(source);
  return `"!e${source.suffix}" as (${insertFrom(quoteTable(settings.log), entryValues(row, binds), from)})`;
}

/** The parts of an entry that a row decides, as SQL. */
export interface EntryRow {
  readonly id: string;
  readonly at: string;
  readonly action: string;
  readonly model: string;
  readonly pk: string;
  readonly repr: string;
  readonly changes: string;
  readonly additionalData: string;
}

/** The columns of an entry with their values. */
export function entryValues(row: EntryRow, binds: ContextBinds): [column: string, value: string][] {
  return [
    ['id', row.id],
    ['timestamp', row.at],
    ['action', row.action],
    ['model', row.model],
    ['object_pk', row.pk],
    ['object_repr', row.repr],
    ['changes', row.changes],
    ['actor_id', binds.actorId],
    ['actor_label', binds.actorLabel],
    ['actor_type', binds.actorType],
    ['remote_addr', binds.remoteAddr],
    ['remote_port', binds.remotePort],
    ['correlation_id', binds.correlationId],
    ['request', binds.request],
    ['transaction_id', 'pg_current_xact_id()::text::bigint'],
    ['reason', binds.reason],
    ['additional_data', row.additionalData],
  ];
}

function additionalData(source: ImageSource, binds: ContextBinds): string {
  if (!source.mayMoveKey) return binds.additionalData;
  return `case when "extra" is null then ${binds.additionalData} else coalesce(${binds.additionalData}, '{}') || "extra" end`;
}

export function insertFrom(table: string, values: readonly [string, string][], from: string): string {
  const columns = values.map(([column]) => quoteIdentifier(column)).join(', ');
  const expressions = values.map(([, value]) => value).join(', ');
  return `insert into ${table} (${columns}) select ${expressions} from ${from}`;
}

/** Of a row whose action is the same for every row of the source, a constant. */
function historyType({ mode, mayMoveKey, plan }: ImageSource): string {
  if (mode === 'created') return `'+'`;
  if (mode === 'deleted') return `'-'`;
  if (mode === 'updated' && !mayMoveKey && !plan.deletedAt) return `'~'`;
  return `case "action" when 'create' then '+' when 'delete' then '-' else '~' end`;
}

function versionInsert(source: ImageSource, binds: ContextBinds): string[] {
  const { plan } = source;
  if (!plan.history) return [];
  const values: [string, string][] = [
    ...versionColumns(plan).map((column): [string, string] => [column.column, newImage(column)]),
    ['history_date', '"at"'],
    ['history_type', historyType(source)],
    ['history_user_id', binds.actorId],
    ['history_change_reason', binds.reason],
    ['log_entry_id', '"id"'],
  ];
  return [`"!v${source.suffix}" as (${insertFrom(quoteTable(plan.history), values, loggedName(source))})`];
}

/** The common table expressions that store entries and versions of the rows in `source.from`; `clock` must precede them. */
export function entryExpressions(
  source: ImageSource,
  settings: StatementSettings,
  binds: ContextBinds,
): string[] {
  if (!source.plan.isLogged) return [];
  return [
    loggedRows(source, settings),
    entryInsert(source, settings, binds),
    ...versionInsert(source, binds),
  ];
}
