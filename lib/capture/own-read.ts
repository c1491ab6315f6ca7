/**
 * Name of an option of a query: it is the library's own and says itself which tables it means, so that inside `auditLog.asOf` it
 * is sent as it is. A text, since Sequelize drops symbols on some paths.
 */
export const OWN_READ = 'auditOwnRead';
