import { testDatabase } from '../../../test/support/database';

export const database = testDatabase();

// The shop knows its database by this variable only, so its schema goes there too.
const url = new URL(database.url);
url.searchParams.set('options', `-c search_path=${database.schema}`);
process.env['DATABASE_URL'] = url.href;
