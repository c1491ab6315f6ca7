import { quoteLiteral } from '../schema/quote';
import { reprAttributes } from '../schema/registration';
import { differs, isDocument, isPresent, jsonOf, maskedText, textOf } from './encode';
import { newImage, oldImage, type ModelPlan, type PlannedColumn } from './plan';

/** The delta of a row that no attribute differs in. */
export const NO_CHANGES = `'{}'::jsonb`;

/** A function takes at most 100 arguments, and each member is two. */
const MEMBERS_PER_CALL = 50;

/** One attribute of a delta: its pair of values, and when it belongs to it. */
interface Member {
  readonly column: PlannedColumn;
  readonly pair: string;
  readonly condition: string;
}

function named({ column, pair }: Member): string {
  return `${quoteLiteral(column.attribute)}, ${pair}`;
}

/**
 * Members that are absent are built as null and stripped, all at once: of the ways to write a delta this has the fewest
 * expressions, and PostgreSQL prepares each of them anew for every execution. Stripping also reaches into documents, which
 * therefore stand apart.
 */
function objectOf(members: readonly Member[]): string {
  const values = members.filter(({ column }) => !isDocument(column));
  const parts: string[] = [];
  for (let at = 0; at < values.length; at += MEMBERS_PER_CALL) {
    const chunk = values.slice(at, at + MEMBERS_PER_CALL).map(({ condition, pair, ...member }) => {
      return named({ ...member, condition, pair: `case when ${condition} then ${pair} end` });
    });
    parts.push(`jsonb_strip_nulls(jsonb_build_object(${chunk.join(', ')}))`);
  }
  for (const member of members.filter(({ column }) => isDocument(column))) {
    parts.push(
      `case when ${member.condition} then jsonb_build_object(${named(member)}) else ${NO_CHANGES} end`,
    );
  }
  return parts.join(' || ') || NO_CHANGES;
}

/** `[null, value]` of every attribute that is not null, as jsonb. */
export function createdDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): Member => {
    const image = newImage(column);
    const pair = `jsonb_build_array(null, ${jsonOf(image, column)})`;
    return { column, pair, condition: isPresent(image, column) };
  };
  return objectOf(columns.map(member));
}

/** `[value, null]` of every attribute that was not null, as jsonb. */
export function deletedDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): Member => {
    const image = oldImage(column);
    const pair = `jsonb_build_array(${jsonOf(image, column)}, null)`;
    return { column, pair, condition: isPresent(image, column) };
  };
  return objectOf(columns.map(member));
}

/** `[old, new]` of every attribute that differs, as jsonb. */
export function updatedDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): Member => {
    const [before, after] = [oldImage(column), newImage(column)];
    const pair = `jsonb_build_array(${jsonOf(before, column)}, ${jsonOf(after, column)})`;
    return { column, pair, condition: differs(before, after, column) };
  };
  return objectOf(columns.map(member));
}

type Image = (column: PlannedColumn) => string;

/** The key as text: a single key bare, a composite one as a JSON array of texts. */
export function objectPk(plan: ModelPlan, image: Image): string {
  const [first, ...others] = plan.keys;
  if (first && others.length === 0) return textOf(image(first), first);
  const elements = plan.keys.map((key) => `to_json(${textOf(image(key), key)})::text`);
  return `'[' || ${elements.join(` || ',' || `)} || ']'`;
}

const MAX_REPR_LENGTH = 255;

/** The object's representation: the template's text and values, or `<Model> <pk>`. */
export function objectRepr(plan: ModelPlan, image: Image): string {
  const parts =
    plan.repr === null
      ? [quoteLiteral(`${plan.name} `), objectPk(plan, image)]
      : reprParts(plan, plan.repr, image);
  return `left(concat(${parts.join(', ')}), ${MAX_REPR_LENGTH})`;
}

function reprParts(plan: ModelPlan, template: string, image: Image): string[] {
  const names = reprAttributes(template);
  const texts = template.split(/\{[^{}]*\}/).map(quoteLiteral);
  const value = (name: string): string => {
    const column = plan.columns.find((each) => each.attribute === name);
    if (!column) return `''`;
    return column.mask ? maskedText(image(column), column.mask) : textOf(image(column), column);
  };
  return texts.flatMap((text, at) => (at < names.length ? [text, value(names[at] ?? '')] : [text]));
}

/** A column's value as the version keeps it: masked ones and enums as text. */
export function versionValue(column: PlannedColumn, image: Image): string {
  const value = image(column);
  if (column.mask) return maskedText(value, column.mask);
  if (column.type === 'enum') return `${value}::text`;
  return column.type === 'enum[]' ? `${value}::text[]` : value;
}
