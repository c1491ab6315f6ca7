import { digestOf } from '../core/node';
import type { TableName } from './quote';

/** PostgreSQL cuts longer names silently, after which two of them may be the same. */
const MAX_NAME_BYTES = 63;
const DIGEST_LENGTH = 8;

/** A name of at most 63 bytes; a longer one is cut and ends with a digest, so that different names stay different. */
export function fitName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const digest = digestOf('sha256', name, DIGEST_LENGTH);
  let start = name;
  while (Buffer.byteLength(start) > MAX_NAME_BYTES - DIGEST_LENGTH - 1)
    start = Array.from(start).slice(0, -1).join('');
  return `${start}_${digest}`;
}

/** `<table>_history`, with the schema in front where the table has one of its own: two schemas may hold one table name. */
export function historyTableName({ schema, table }: TableName, logSchema: string | null): string {
  return fitName(schema === null || schema === logSchema ? `${table}_history` : `${schema}_${table}_history`);
}
