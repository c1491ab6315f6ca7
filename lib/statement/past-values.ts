/** A column as the past is read into it: without constraints, length and enum labels, which may have changed since. */
export interface DecodedColumn {
  /** The type that holds the same values without a constraint, as SQL. */
  readonly plainType: string;
  /** PostgreSQL's internal type name behind domains, as in `EncodedColumn`. */
  readonly valueType: string;
}

/** Of a BLOB an entry holds a digest, from which no value comes back. */
export function isDigest({ valueType }: DecodedColumn): boolean {
  return valueType === 'bytea' || valueType === 'bytea[]';
}

const isJson = (type: string): boolean => type === 'json' || type === 'jsonb';

/** A timestamp without zone was written in UTC by way of the session's zone, and comes back by it. */
function cast(text: string, { plainType, valueType }: DecodedColumn): string {
  if (valueType === 'timestamp') return `(${text})::timestamptz::${plainType}`;
  if (valueType === 'timestamp[]') return `(${text})::timestamptz[]::${plainType}`;
  return `(${text})::${plainType}`;
}

/** Elements of JSON arrays as texts keep every dimension, and any type is read from its text. */
function arrayOf(json: string, column: DecodedColumn): string {
  if (isJson(column.valueType.slice(0, -2))) return jsonArrayOf(json, column);
  const texts = `(select "!x"."v" from jsonb_to_record(jsonb_build_object('v', ${json})) as "!x"("v" text[]))`;
  return cast(texts, column);
}

/** Here an array inside is an element, and no further dimension. */
function jsonArrayOf(json: string, { plainType }: DecodedColumn): string {
  const elements = `select "!x" from jsonb_array_elements(${json}) with ordinality "!u"("!x", "!i") order by "!i"`;
  return `case when jsonb_typeof(${json}) = 'array' then array(${elements})::${plainType} end`;
}

/** The value that stands in an entry's `changes` as jsonb `json`, in the column's type: the reverse of `jsonOf`. */
export function valueOf(json: string, column: DecodedColumn): string {
  if (isDigest(column)) return `null::${column.plainType}`;
  if (column.valueType.endsWith('[]')) return arrayOf(json, column);
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
