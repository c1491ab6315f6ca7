import { quoteLiteral } from '../schema/quote';

/** A column as the past is read into it: without constraints, length and enum labels, which may have changed since. */
export interface DecodedColumn {
  /** The type that holds the same values without a constraint, as SQL. */
  readonly plainType: string;
  /** PostgreSQL's internal type name behind domains, as in `EncodedColumn`. */
  readonly valueType: string;
}

/** A column that may have had another type when an entry was written. */
export interface TestedColumn extends DecodedColumn {
  /** Whether the server tells if a type takes a text: PostgreSQL 16 does. */
  readonly isTestable: boolean;
}

/** Of a BLOB an entry holds a digest, from which no value comes back. */
export function isDigest({ valueType }: DecodedColumn): boolean {
  return valueType === 'bytea' || valueType === 'bytea[]';
}

const isJson = (type: string): boolean => type === 'json' || type === 'jsonb';
const isArray = ({ valueType }: DecodedColumn): boolean => valueType.endsWith('[]');
const elementOf = ({ valueType }: DecodedColumn): string => valueType.replace('[]', '');

/** A timestamp without zone was written in UTC by way of the session's zone, and comes back by it. */
function cast(text: string, { plainType, valueType }: DecodedColumn): string {
  if (valueType === 'timestamp') return `(${text})::timestamptz::${plainType}`;
  if (valueType === 'timestamp[]') return `(${text})::timestamptz[]::${plainType}`;
  return `(${text})::${plainType}`;
}

/** Elements of JSON arrays as texts keep every dimension, and any type is read from its text. */
function textsOf(json: string): string {
  return `(select "!x"."v" from jsonb_to_record(jsonb_build_object('v', ${json})) as "!x"("v" text[]))`;
}

function arrayOf(json: string, column: DecodedColumn): string {
  if (isJson(elementOf(column))) return jsonArrayOf(json, column);
  return cast(textsOf(json), column);
}

/** Here an array inside is an element, and no further dimension. */
function jsonArrayOf(json: string, { plainType }: DecodedColumn): string {
  const elements = `select "!x" from jsonb_array_elements(${json}) with ordinality "!u"("!x", "!i") order by "!i"`;
  return `case when jsonb_typeof(${json}) = 'array' then array(${elements})::${plainType} end`;
}

/** The value that stands in an entry's `changes` as jsonb `json`, in the column's type: the reverse of `jsonOf`. */
export function valueOf(json: string, column: DecodedColumn): string {
  if (isDigest(column)) return `null::${column.plainType}`;
  if (isArray(column)) return arrayOf(json, column);
  if (isJson(column.valueType)) return `nullif(${json}, 'null'::jsonb)::${column.plainType}`;
  return cast(`${json} #>> '{}'`, column);
}

/** A column of a key, with its type in full. */
export interface DecodedKey extends DecodedColumn {
  /** With modifiers, as SQL. */
  readonly sqlType: string;
}

/** The value of a key column whose text stands in an entry's `object_pk`: the reverse of `textOf`. */
export function keyOfText(text: string, column: DecodedKey): string {
  if (isDigest(column)) return `decode(${text}, 'hex')`;
  // The text came without the padding.
  const value = column.valueType === 'bpchar' ? `(${text})::${column.sqlType}` : text;
  return cast(value, column);
}

/** Of a date only the form is looked at, in which the thirtieth of February is a day. */
const day = (t: string, more: string, end: string): string =>
  `(${t} in ('infinity', '-infinity') or replace(${t}, ' BC', '') like '%____-__-__${end}' and translate(replace(${t}, ' BC', ''), '0123456789-${more}', '') = '')`;
const clock = (t: string, more: string): string =>
  `(${t} like '__:__%' and translate(${t}, '0123456789:.${more}', '') = '')`;
const integer =
  (limit: string) =>
  (t: string): string =>
    `case when ${t} in ('', '-') or rtrim(${t}, '0123456789') not in ('', '-') then false else ${t}::numeric between -${limit} - 1 and ${limit} end`;
const number = (t: string): string =>
  `(${t} in ('NaN', 'Infinity', '-Infinity') or ${t} not in ('', '-', '.', '-.') and rtrim(replace(${t}, '.', ''), '0123456789') in ('', '-'))`;

/** What a text looks like that the type takes, for PostgreSQL 15: regular expressions would take ten times as long. */
const FORMS: Readonly<Record<string, (text: string) => string>> = {
  int2: integer('32767'),
  int4: integer('2147483647'),
  int8: integer('9223372036854775807'),
  float4: number,
  float8: number,
  numeric: number,
  bool: (t) => `lower(${t}) in ('true', 'false', 't', 'f', 'yes', 'no', 'y', 'n', 'on', 'off', '1', '0')`,
  uuid: (t) =>
    `(${t} like '________-____-____-____-____________' and translate(lower(${t}), '0123456789abcdef-', '') = '')`,
  date: (t) => day(t, '', ''),
  timestamp: (t) => day(t, ' :.+TZ', '%'),
  timestamptz: (t) => day(t, ' :.+TZ', '%'),
  time: (t) => clock(t, ''),
  timetz: (t) => clock(t, '+-'),
};

const TAKE_ANY = new Set(['text', 'varchar', 'bpchar', 'enum', 'json', 'jsonb', 'bytea']);

function takes(text: string, { plainType, valueType }: DecodedColumn): string {
  // As `cast` reads it.
  const type =
    elementOf({ plainType, valueType }) === 'timestamp' ? plainType.replace('without', 'with') : plainType;
  return `pg_input_is_valid(${text}, ${quoteLiteral(type)})`;
}

function isReadableArray(json: string, column: TestedColumn): string | null {
  if (isJson(elementOf(column)) || isDigest(column)) return null;
  const type = `jsonb_typeof(${json})`;
  if (!column.isTestable) return `(${type} in ('array', 'null'))`;
  return `case when ${type} <> 'array' then ${type} = 'null' else ${takes(`${textsOf(json)}::text`, column)} end`;
}

/** SQL: `valueOf` reads the value without an error, or there is none; null where it reads any. On PostgreSQL 15 some slip through. */
export function isReadable(json: string, column: TestedColumn): string | null {
  if (isArray(column)) return isReadableArray(json, column);
  return isReadableText(`(${json} #>> '{}')`, column);
}

/** SQL: the column takes the text; null where it takes any. */
function isReadableText(text: string, column: TestedColumn): string | null {
  if (TAKE_ANY.has(column.valueType)) return null;
  return column.isTestable ? takes(text, column) : (FORMS[column.valueType]?.(text) ?? null);
}

/** As `keyOfText`, and null where the column, which may have had another type, doesn't take the text. */
export function keyOfAnyText(text: string, column: DecodedKey & TestedColumn): string {
  const key = keyOfText(text, column);
  const isReadableKey = isReadableText(text, column);
  return isReadableKey === null ? key : `case when ${isReadableKey} then ${key} end`;
}

/** What has no form here, or one that more fits than the type takes. */
const SURE = new Set(['int2', 'int4', 'int8', 'float8', 'numeric', 'bool', 'uuid']);

/** Whether a value may slip through that `valueOf` then fails to read. */
export function mayMislead(column: TestedColumn): boolean {
  return (
    !column.isTestable &&
    isReadable('', { ...column, isTestable: true }) !== null &&
    !SURE.has(column.valueType)
  );
}
