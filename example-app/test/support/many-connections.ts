// First, because the shop's pool is made when it is loaded.
export const CONNECTIONS = 60;
process.env['DATABASE_POOL'] = String(CONNECTIONS);
