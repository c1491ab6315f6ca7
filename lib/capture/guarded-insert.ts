import type { ParsedWrite } from '../statement/parse-write';
import { send, type DriverClient, type DriverResult } from './sequelize-adapter';
import type { CapturedWrite, SingleWrites } from './single-write';
import type { DatabaseError } from './write-errors';

const UNIQUE_VIOLATION = '23505';
const SAVEPOINT = '"sequelize_auditlog_find_or_create"';

/**
 * The INSERT of `findOrCreate`. Sequelize wraps it into a temporary function that turns a lost race into a result; a
 * savepoint does the same with the insert as an ordinary statement, so that its entry can ride along.
 */
export async function guardedInsert(
  client: DriverClient,
  writes: SingleWrites,
  captured: CapturedWrite,
): Promise<DriverResult | null> {
  const command = (text: string): Promise<DriverResult> => send(client, { text, values: [] });
  await command(`savepoint ${SAVEPOINT}`);
  try {
    const result = await writes.run(client, captured);
    await command(`release savepoint ${SAVEPOINT}`);
    return result && asFromFunction(result, captured);
  } catch (error) {
    const { code, detail } = error as DatabaseError & { detail?: string };
    // The function lets any other error abort the transaction.
    if (code !== UNIQUE_VIOLATION) throw error;
    await command(`rollback to savepoint ${SAVEPOINT}`);
    return { command: 'SELECT', rowCount: 1, rows: [{ sequelize_caught_exception: detail ?? '' }] };
  }
}

/** The function answers with one row: where a trigger dropped the insert, with a row of nulls. */
function asFromFunction(result: DriverResult, { write }: CapturedWrite): DriverResult {
  const [row = nullsOf(write.returning)] = result.rows;
  return { ...result, rowCount: 1, rows: [{ ...row, sequelize_caught_exception: null }] };
}

function nullsOf(returning: ParsedWrite['returning']): Record<string, null> {
  return Object.fromEntries(
    (Array.isArray(returning) ? returning : []).map((column: string) => [column, null]),
  );
}
