/**
 * Tables of the audit log for migrations: usable from sequelize-cli and umzug.
 *
 * @packageDocumentation
 */
export {};
