import type { CatalogueColumn } from '../schema/catalogue';

/**
 * The way back of `encode.ts` for writes: what an entry holds as JSON becomes a text that PostgreSQL reads into the column's
 * type. Texts are bound as `text[]` and cast in the statement, so that no value is ever part of it.
 */

/** JSON text of a value as an entry holds it; null for null. */
export type JsonText = string | null;

/** A string that stands for a document which jsonb could not hold; any other string is a document itself. */
const UNFIT = /\\u0000|\\u[dD][89a-fA-F]|[eE][+-]?\d{4}|\d{255}/;

function isDocument(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function documentText(json: string): string {
  if (!json.startsWith('"')) return json;
  const text = JSON.parse(json) as string;
  return UNFIT.test(text) && isDocument(text) ? text : json;
}

/** Years that `to_char` doesn't write are kept as PostgreSQL's text in UTC, which says nothing of its zone. */
function instantText(text: string): string {
  if (text.endsWith('Z') || text.endsWith('infinity')) return text;
  return text.endsWith(' BC') ? `${text.slice(0, -3)}+00 BC` : `${text}+00`;
}

/** PostgreSQL's notation of an array; every element but null is quoted. */
function arrayText(value: unknown, element: (text: string) => string): string {
  if (Array.isArray(value)) return `{${value.map((each) => arrayText(each, element)).join(',')}}`;
  if (value === null) return 'NULL';
  const text = typeof value === 'string' ? element(value) : JSON.stringify(value);
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

const isInstant = (type: string): boolean => type === 'timestamptz' || type === 'timestamp';
const isJson = (type: string): boolean => type === 'json' || type === 'jsonb';

/** The type of an array's elements, or of the value itself. */
function elementType(type: string): string {
  return type.endsWith('[]') ? type.slice(0, -2) : type;
}

/** The text by which PostgreSQL reads a value of an entry back into a column, once `castText` casts it. */
export function inputText(json: JsonText, { valueType }: Pick<CatalogueColumn, 'valueType'>): string | null {
  if (json === null) return null;
  if (isJson(valueType)) return valueType === 'json' ? documentText(json) : json;
  // Read by PostgreSQL itself: numbers in documents may be longer than JavaScript's.
  if (isJson(elementType(valueType))) return json;
  const value: unknown = JSON.parse(json);
  const text = isInstant(elementType(valueType)) ? instantText : (each: string): string => each;
  if (Array.isArray(value)) return arrayText(value, text);
  return typeof value === 'string' ? text(value) : json;
}

type CastColumn = Pick<CatalogueColumn, 'valueType' | 'plainType' | 'type'>;

/** Not to a limited length: a cast would cut what an assignment refuses. */
function castType({ valueType, plainType, type }: CastColumn): string {
  return elementType(valueType) === 'enum' ? type : plainType;
}

/** SQL: the text of `inputText` as a value of the column. */
export function castText(sql: string, column: CastColumn): string {
  const { valueType, plainType } = column;
  const element = elementType(valueType);
  if (isJson(element) && element !== valueType) {
    const items = `select array_agg(nullif("!j"."value", 'null'::jsonb)::${element} order by "!j"."ordinality") from jsonb_array_elements(${sql}::jsonb) with ordinality "!j"`;
    return `case when ${sql} is null then null else coalesce((${items}), array[]::${element}[]) end`;
  }
  // By way of the zone in which the entry's text was written.
  if (element === 'timestamp') return `${sql}::timestamptz${valueType.slice(element.length)}::${plainType}`;
  return `${sql}::${castType(column)}`;
}

/** SQL: a part of `objectPk` as a value of its column. */
export function castKey(sql: string, column: CastColumn): string {
  return column.valueType === 'bytea' ? `decode(${sql}, 'hex')` : castText(sql, column);
}

/** The text of a part of `objectPk` that `castKey` casts. */
export function keyText(text: string, { valueType }: CastColumn): string {
  return isInstant(valueType) ? instantText(text) : text;
}
