import { type ModelAttributeColumnOptions, QueryTypes } from 'sequelize';
import { auditLog } from './audit';
import { sequelize } from './database';
import { Customer } from './models';

/** Creates what is missing, also in a database of an earlier version. A real shop would run migrations instead. */
export async function openTables(): Promise<void> {
  await renameRole('clerk', 'sales');
  // Orders point to it, and the column that does so may have to be added to a table that is there.
  await Customer.sync();
  await addMissingColumns();
  await sequelize.sync();
  await auditLog.sync();
}

/** `sync()` creates tables and indexes, but leaves a table that exists without its new columns. */
async function addMissingColumns(): Promise<void> {
  for (const model of Object.values(sequelize.models)) {
    const tableName = model.tableName;
    const columns = await columnsOf(tableName);
    for (const attribute of Object.values<ModelAttributeColumnOptions>(model.getAttributes())) {
      const { field = '' } = attribute;
      const [{ schema } = {}] = columns;
      if (schema && !columns.some(({ name }) => name === field))
        await sequelize.getQueryInterface().addColumn({ tableName, schema }, field, attribute);
    }
  }
}

/** None of a table that is not there. */
const columnsOf = (tableName: string): Promise<Array<{ schema: string; name: string }>> =>
  sequelize.query(
    `select table_schema as schema, column_name as name from information_schema.columns
      where table_schema = current_schema() and table_name = $1`,
    { bind: [tableName], type: QueryTypes.SELECT },
  );

async function renameRole(old: string, now: string): Promise<void> {
  const [role] = await sequelize.query<{ type: string }>(
    `select atttypid::regtype::text as type from pg_attribute join pg_enum on enumtypid = atttypid
      where attrelid = to_regclass('users') and attname = 'role' and enumlabel = $1`,
    { bind: [old], type: QueryTypes.SELECT },
  );
  if (role) await sequelize.query(`alter type ${role.type} rename value '${old}' to '${now}'`);
}
