import { createHash } from 'node:crypto';
import { parse } from 'postgres-array';
import type { JsonValue } from 'sequelize-auditlog';

/** A type as `pg_type` has it, by which a value's text is read. */
export interface PgType {
  readonly name: string;
  /** The element's type of an array. */
  readonly element: PgType | null;
}

type Reader = (text: string) => JsonValue;

const itself: Reader = (text) => text;

function float(text: string): JsonValue {
  const value = Number(text);
  // JSON has no minus nought.
  return Number.isFinite(value) ? value + 0 : text;
}

/** `2026-11-21 20:17:26.123456+00`, in the time zone UTC, as ISO-8601 with microseconds. */
function timestamp(text: string): JsonValue {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text);
  // Years that ISO-8601 does not know stay as they are, in UTC.
  if (!match) return text.replace('+00 BC', ' BC');
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(6, '0')}Z`;
}

function blob(text: string): JsonValue {
  const bytes = Buffer.from(text.slice(2), 'hex');
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const READERS: Readonly<Record<string, Reader>> = {
  int2: Number,
  int4: Number,
  float4: float,
  float8: float,
  bool: (text) => text === 't',
  timestamp,
  timestamptz: timestamp,
  json: (text) => JSON.parse(text) as JsonValue,
  jsonb: (text) => JSON.parse(text) as JsonValue,
  bytea: blob,
};

/** What an entry shows of a value, worked out here from PostgreSQL's text of it. */
export function jsonOf(text: string | null, type: PgType): JsonValue {
  if (text === null) return null;
  const { element } = type;
  if (element) return parse(text, (item) => jsonOf(item, element));
  return (READERS[type.name] ?? itself)(text);
}
