import { quoteIdentifier } from '../schema/quote';
import type { ParsedWrite } from './parse-write';
import type { ModelPlan, PlannedColumn } from './plan';

/** Which images a write leaves: an insert only new rows, a delete only old ones, an upsert both or only new ones. */
export type ImageMode = 'created' | 'updated' | 'deleted' | 'upserted';

export function imageMode(write: ParsedWrite): ImageMode {
  if (write.kind === 'delete') return 'deleted';
  if (write.kind === 'update') return 'updated';
  return write.onConflict === 'update' ? 'upserted' : 'created';
}

/** Types of which equal values have one text: a row that is found by such a key keeps it. */
const ONE_TEXT = new Set([
  'int2',
  'int4',
  'int8',
  'uuid',
  'text',
  'varchar',
  'enum',
  'bool',
  'date',
  'timestamptz',
]);

export function hasOneText(type: string): boolean {
  return ONE_TEXT.has(type);
}

/** Whether a write may change primary keys, be it by a trigger. */
export function mayMoveKey(write: ParsedWrite, plan: ModelPlan): boolean {
  return plan.keyMayChange || assignsKey(write, plan);
}

export function assignsKey(write: ParsedWrite, plan: ModelPlan): boolean {
  const isKept = (key: PlannedColumn): boolean => write.matched.includes(key.column) && hasOneText(key.type);
  return plan.keys.some((key) => write.assigned.includes(key.column) && !isKept(key));
}

/** One row of values, and perhaps what happens on a conflict. */
const ONE_ROW_OF_VALUES = /^[^()']*\)(?:\s+on\s+conflict\s+\([^()']*\)\s+do\s[^()']*)?$/i;
const VALUES = /\bvalues\s*\(/i;

/** Whether a write can touch one row at most, as far as a look tells; false is always safe. */
export function writesOneRow(write: ParsedWrite, plan: ModelPlan): boolean {
  if (write.kind === 'insert') return insertsOneRow(write.body);
  const { where } = write;
  return plan.keyIsUnique && plan.keys.length > 0 && plan.keys.every((key) => pinsTo(where ?? '', key));
}

function insertsOneRow(body: string): boolean {
  const values = VALUES.exec(body);
  return values !== null && ONE_ROW_OF_VALUES.test(body.slice(values.index + values[0].length));
}

/** Whether a condition is nothing but comparisons joined by AND, one of them of the key with a value. */
function pinsTo(where: string, { column }: PlannedColumn): boolean {
  const comparisons = where.replace(/^\((.*)\)$/s, '$1').split(' AND ');
  const name = quoteIdentifier(column);
  return (
    comparisons.every((each) => /^"[^"]+" = \$\d+(?:::\w+)?$/.test(each)) &&
    comparisons.some((each) => each.startsWith(`${name} = $`))
  );
}

/** The columns of a delta, of which an update looks at those it assigns to one by one. */
export function comparedColumns(write: ParsedWrite, plan: ModelPlan): readonly PlannedColumn[] {
  const inDelta = plan.columns.filter((column) => column.inDelta);
  const mayDiffer = imageMode(write) !== 'updated' || plan.rewritesRows || mayMoveKey(write, plan);
  return mayDiffer ? inDelta : inDelta.filter(({ column }) => write.assigned.includes(column));
}

/** The columns of a delta that only a trigger unknown so far can have changed: compared all at once. */
export function restingColumns(write: ParsedWrite, plan: ModelPlan): readonly PlannedColumn[] {
  const compared = new Set(comparedColumns(write, plan));
  return plan.columns.filter((column) => column.inDelta && !compared.has(column));
}

/** Columns whose old value is needed: those that are compared, and all where the old row may need a version of its end. */
export function oldColumns(write: ParsedWrite, plan: ModelPlan): readonly PlannedColumn[] {
  if (mayMoveKey(write, plan)) return plan.columns;
  const compared = new Set(comparedColumns(write, plan));
  return plan.columns.filter(
    (column) => compared.has(column) || column.isKey || column.isLink || column === plan.deletedAt,
  );
}
