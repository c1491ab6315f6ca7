/**
 * Name of an option of a query that stores an entry of the application's own, so that its event follows the commit. A text, since
 * Sequelize drops symbols on some paths.
 */
export const OWN_ENTRY = 'auditOwnEntry';
