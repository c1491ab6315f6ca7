import { send, type DriverClient, type DriverResult } from './sequelize-adapter';
import type { CapturedWrite, SingleWrites } from './single-write';
import type { DatabaseError } from './write-errors';

const UNIQUE_VIOLATION = '23505';
const SAVEPOINT = '"sequelize_auditlog_find_or_create"';

/**
 * The INSERT of `findOrCreate`. Sequelize wraps it into a temporary function that turns a lost race into a result; a
 * savepoint does the same with the insert as an ordinary statement, so that its entry can ride along.
 */
export async function guardedInsert(client: DriverClient, writes: SingleWrites, captured: CapturedWrite): Promise<DriverResult | null> {
  const command = (text: string): Promise<DriverResult> => send(client, { text, values: [] });
  await command(`savepoint ${SAVEPOINT}`);
  try {
    const result = await writes.run(client, captured);
    await command(`release savepoint ${SAVEPOINT}`);
    return result && { ...result, rows: result.rows.map((row) => ({ ...row, sequelize_caught_exception: null })) };
  } catch (error) {
    const { code, detail } = error as DatabaseError & { detail?: string };
    await command(`rollback to savepoint ${SAVEPOINT}`);
    if (code !== UNIQUE_VIOLATION) throw error;
    return { command: 'SELECT', rowCount: 1, rows: [{ sequelize_caught_exception: detail ?? '' }] };
  }
}
