import { MASK_TEXT } from '../core/options';
import { quoteLiteral } from '../schema/quote';
import type { MaskRule } from '../schema/registration';

/**
 * How values of one kind of column become text, JSON and comparisons in SQL. This is the only place that decides it,
 * for single writes, bulk writes, cascades, versions and labels alike.
 */
interface Encoding {
  /** JSON text of the value; SQL null for null. */
  json(value: string): string;
  /** Bare text of the value, for keys and representations; SQL null for null. */
  text(value: string): string;
  /** True when two values differ in what an entry would show. */
  differs(a: string, b: string): string;
}

const asText = (value: string): string => `${value}::text`;
const directly = (a: string, b: string): string => `${a} is distinct from ${b}`;
/** Byte order also where a column's collation calls different texts equal. */
const asTexts = (a: string, b: string): string => `${a}::text collate "C" is distinct from ${b}::text`;

/** `to_json` quotes NaN and the infinities itself. */
const NUMBER: Encoding = { json: (v) => `to_json(${v})::text`, text: asText, differs: directly };
const INTEGER: Encoding = { json: asText, text: asText, differs: directly };
/** Quoted, because a JavaScript number can't hold them; 1.0 and 1.00 are different texts and so a change. */
const EXACT: Encoding = { json: (v) => `'"' || ${v}::text || '"'`, text: asText, differs: asTexts };
/** By the output function: a cast to text would give `10.0.0.1/32` for an inet and cut the padding of a char. */
const STRING: Encoding = { json: (v) => `to_json(${v})::text`, text: asText, differs: asTexts };
const INET: Encoding = { ...STRING, text: (v) => `(to_json(${v}) #>> '{}')` };
const OTHER: Encoding = { json: (v) => `to_json(${v}::text)::text`, text: asText, differs: asTexts };

/** `to_char` knows neither infinity nor BC; what is outside its years is kept as PostgreSQL's text. */
function stamp(value: string, format: string, from: string, to: string): string {
  return `case when ${value} >= '${from}' and ${value} <= '${to}' then to_char(${value}, '${format}') else ${value}::text end`;
}

const DATE: Encoding = (() => {
  const text = (v: string): string =>
    stamp(
      `(${v}::timestamptz at time zone 'UTC')`,
      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"',
      '0001-01-01',
      '9999-12-31 23:59:59.999999',
    );
  return { json: (v) => `'"' || ${text(v)} || '"'`, text, differs: directly };
})();

const DATEONLY: Encoding = (() => {
  const text = (v: string): string => stamp(v, 'YYYY-MM-DD', '0001-01-01', '9999-12-31');
  return { json: (v) => `'"' || ${text(v)} || '"'`, text, differs: directly };
})();

/** A JSON null is null in JavaScript too, so it counts as null. */
const JSONB: Encoding = {
  json: (v) => `nullif(${v}, 'null'::jsonb)::text`,
  text: asText,
  differs: (a, b) => `nullif(${a}, 'null'::jsonb) is distinct from nullif(${b}, 'null'::jsonb)`,
};

/** What a json column accepts and jsonb refuses: NUL, lone surrogates, numbers beyond its range. */
const UNFIT_ESCAPE = String.raw`\\u0000|\\u[dD][89a-fA-F]`;
const UNFIT_NUMBER = '[eE][+-]?[0-9]{4}|[0-9]{255}';
/** An escaped backslash begins no other escape, and a pair of surrogates is a character. */
const FIT_ESCAPE = String.raw`\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`;
const STRING_LITERAL = String.raw`"(?:\\.|[^"\\])*"`;

/** A coarse look first: most documents hold nothing that needs the exact one. */
function unfitForJsonb(text: string): string {
  const without = (pattern: string): string => `regexp_replace(${text}, '${pattern}', '', 'g')`;
  const exactly = `${without(FIT_ESCAPE)} ~ '${UNFIT_ESCAPE}' or ${without(STRING_LITERAL)} ~ '${UNFIT_NUMBER}'`;
  return `case when ${text} ~ '${UNFIT_ESCAPE}|${UNFIT_NUMBER}' then ${exactly} else false end`;
}

/** The text itself, or as a JSON string of that text where jsonb couldn't hold it: nothing is lost and no write fails. */
function jsonFitForJsonb(value: string): string {
  const text = `${value}::text`;
  return `case when json_typeof(${value}) = 'null' then null when ${unfitForJsonb(text)} then to_json(${text})::text else ${text} end`;
}

const JSON_TEXT: Encoding = {
  json: jsonFitForJsonb,
  text: asText,
  // json has no equality; as jsonb the order of keys makes no difference.
  differs: (a, b) => `(${jsonFitForJsonb(a)})::jsonb is distinct from (${jsonFitForJsonb(b)})::jsonb`,
};

const BLOB: Encoding = {
  json: (v) => `'{"bytes":' || octet_length(${v}) || ',"sha256":"' || encode(sha256(${v}), 'hex') || '"}'`,
  text: (v) => `encode(${v}, 'hex')`,
  differs: directly,
};

/** An array of the same forms; `to_json` keeps every dimension where the elements need no form of their own. */
function arrayOf(elementType: string): Encoding {
  const element = encodingOf(elementType);
  const cast = element === EXACT || element === OTHER ? '::text[]' : '';
  if (element === DATE || element === DATEONLY || element === BLOB || element === JSON_TEXT)
    return elementwise(element);
  return inJson((v) => `to_json(${v}${cast})::text`);
}

/** Where an array begins (`[0:1]={1,2}`) is part of its text and of nothing that JavaScript or JSON knows. */
function inJson(json: (value: string) => string): Encoding {
  return {
    json,
    text: asText,
    differs: (a, b) => `(${asTexts(a, b)} and ${json(a)} is distinct from ${json(b)})`,
  };
}

const MAX_DIMENSIONS = 6;

/** The brackets at one side of an element: one for each dimension in which its place is the first, or the last. */
function brackets(v: string, bracket: string, place: string): string {
  let size = `cardinality(${v})`;
  const sides: string[] = [];
  for (let dimension = 1; dimension <= MAX_DIMENSIONS; dimension += 1) {
    const length = `array_length(${v}, ${dimension})`;
    sides.push(`case when ${length} > 0 and ${place} % (${size}) = 0 then '${bracket}' else '' end`);
    size += ` / ${length}`;
  }
  return sides.join(' || ');
}

function elementwise(element: Encoding): Encoding {
  const json = (v: string): string => {
    const item = `${brackets(v, '[', '("!i" - 1)')} || coalesce(${element.json('"!x"')}, 'null') || ${brackets(v, ']', '"!i"')}`;
    const items = `string_agg(${item}, ',' order by "!i")`;
    return `case when ${v} is null then null else (select coalesce(${items}, '[]') from unnest(${v}) with ordinality "!u"("!x", "!i")) end`;
  };
  return inJson(json);
}

/** By the column's own type in the database, which a model's declaration may only resemble. */
const BY_TYPE: Readonly<Record<string, Encoding>> = {
  int2: INTEGER,
  int4: INTEGER,
  bool: INTEGER,
  float4: NUMBER,
  float8: NUMBER,
  int8: EXACT,
  numeric: EXACT,
  text: STRING,
  varchar: STRING,
  bpchar: STRING,
  citext: STRING,
  name: STRING,
  uuid: STRING,
  enum: STRING,
  inet: INET,
  cidr: STRING,
  macaddr: STRING,
  time: STRING,
  timetz: STRING,
  timestamp: DATE,
  timestamptz: DATE,
  date: DATEONLY,
  json: JSON_TEXT,
  jsonb: JSONB,
  bytea: BLOB,
};

function encodingOf(type: string): Encoding {
  if (type.endsWith('[]')) return arrayOf(type.slice(0, -2));
  return BY_TYPE[type] ?? OTHER;
}

/** PostgreSQL's own types that it can hash, and whose text gives the very value back whatever the session's settings are. */
const PLAIN = new Set([
  'int2',
  'int4',
  'int8',
  'bool',
  'numeric',
  'text',
  'varchar',
  'name',
  'uuid',
  'enum',
  'inet',
  'cidr',
  'macaddr',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'date',
  'jsonb',
  'bytea',
]);

/** Types that are found in some schema only, where it is enough to compare and show their text. */
const AS_TEXT = new Set(['enum', 'citext']);

function elementOf(type: string): string {
  return type.endsWith('[]') ? type.slice(0, -2) : type;
}

/** What the text of a column's value is cast to for the value to come back; null where that is not sure. */
export function typeOfText({ type }: EncodedColumn): string | null {
  const element = elementOf(type);
  if (AS_TEXT.has(element)) return `text${type.slice(element.length)}`;
  return PLAIN.has(element) || element === 'json' ? type : null;
}

/** A value to be hashed with others: itself, or its text where its type can't be, or takes different texts for one. */
export function hashable(value: string, { type }: EncodedColumn): string {
  return PLAIN.has(elementOf(type)) ? value : asText(value);
}

/** The mask of a value that is not null, as text. */
function maskText(value: string, { keepLast }: MaskRule): string {
  if (keepLast === 0) return `'${MASK_TEXT}'`;
  return `'${MASK_TEXT}' || case when length(${value}::text) > ${2 * keepLast} then right(${value}::text, ${keepLast}) else '' end`;
}

/** A masked value as text; null stays null. */
export function maskedText(value: string, rule: MaskRule): string {
  return `case when ${value} is null then null else ${maskText(value, rule)} end`;
}

/** The same of a text that was recorded, which is a mask already unless the column was masked later on. */
export function recordedMaskText(value: string, rule: MaskRule): string {
  const isMask = `starts_with(${value}, '${MASK_TEXT}') and length(${value}) <= ${MASK_TEXT.length + rule.keepLast}`;
  return `case when ${isMask} then ${value} else ${maskedText(value, rule)} end`;
}

/** What decides the form of a column's values. */
export interface EncodedColumn {
  /** PostgreSQL's internal type name behind domains, `enum` for any enum, `[]` after the element's for arrays. */
  readonly type: string;
  readonly mask: MaskRule | null;
}

/** JSON text of a column's value, masked where the column is; SQL null for null. */
export function jsonOf(value: string, column: EncodedColumn): string {
  if (column.mask === null) return encodingOf(column.type).json(value);
  return `case when ${value} is null then null else to_json((${maskText(value, column.mask)})::text)::text end`;
}

/** Bare text of a column's value. */
export function textOf(value: string, column: EncodedColumn): string {
  return encodingOf(column.type).text(value);
}

/** True in SQL when the column's value changed. */
export function differs(old: string, now: string, column: EncodedColumn): string {
  return encodingOf(column.type).differs(old, now);
}

/** A JSON object key as the start of a member: `"name":` */
export function jsonKey(name: string, rest: string): string {
  return quoteLiteral(`${JSON.stringify(name)}:${rest}`);
}
