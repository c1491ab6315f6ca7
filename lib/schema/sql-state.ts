/** The SQLSTATE of an error of `pg` or of Sequelize, which wraps it; null when it is no error of the database. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { code, original } = error as { code?: unknown; original?: unknown };
  if (original !== undefined) return sqlState(original);
  return typeof code === 'string' ? code : null;
}

/** PostgreSQL's class of errors about values, such as a text that a type doesn't take. */
const DATA_EXCEPTIONS = '22';

/** Whether a value was refused, of whatever it was. */
export function isDataError(error: unknown): boolean {
  return String(sqlState(error)).startsWith(DATA_EXCEPTIONS);
}
