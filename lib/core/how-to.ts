/** What creates or completes the audit tables, as the end of a sentence. */
export const COMPLETE_TABLES = 'run "npx sequelize-auditlog migrate" or "await auditLog.sync()"';
