import { quoteLiteral } from '../schema/quote';
import { reprAttributes } from '../schema/registration';
import { differs, jsonKey, jsonOf, maskedText, textOf } from './encode';
import { newImage, oldImage, type ModelPlan, type PlannedColumn } from './plan';

/** `concat_ws` takes at most 100 arguments. */
const CONCAT_LIMIT = 80;

function joined(parts: readonly string[]): string {
  if (parts.length === 0) return `''`;
  if (parts.length <= CONCAT_LIMIT) return `concat_ws(',', ${parts.join(', ')})`;
  const chunks: string[] = [];
  for (let at = 0; at < parts.length; at += CONCAT_LIMIT) {
    // An empty chunk must vanish, else it would leave a comma behind.
    chunks.push(`nullif(concat_ws(',', ${parts.slice(at, at + CONCAT_LIMIT).join(', ')}), '')`);
  }
  return joined(chunks);
}

/** Members `"attr":[null,value]` of every attribute that is not null. */
export function createdDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): string =>
    `${jsonKey(column.attribute, '[null,')} || ${parenthesised(jsonOf(newImage(column), column))} || ']'`;
  return joined(columns.map(member));
}

/** Members `"attr":[value,null]` of every attribute that was not null. */
export function deletedDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): string =>
    `${jsonKey(column.attribute, '[')} || ${parenthesised(jsonOf(oldImage(column), column))} || ',null]'`;
  return joined(columns.map(member));
}

/** Members `"attr":[old,new]` of every attribute that differs; an empty text when none does. */
export function updatedDelta(columns: readonly PlannedColumn[]): string {
  const member = (column: PlannedColumn): string => {
    const [before, after] = [oldImage(column), newImage(column)];
    const value = (image: string): string => `coalesce(${jsonOf(image, column)}, 'null')`;
    const pair = `${jsonKey(column.attribute, '[')} || ${value(before)} || ',' || ${value(after)} || ']'`;
    return `case when ${differs(before, after, column)} then ${pair} end`;
  };
  return joined(columns.map(member));
}

function parenthesised(sql: string): string {
  return `(${sql})`;
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
