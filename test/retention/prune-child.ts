/** A process that prunes, to be killed: arguments are the database's URL, the schema and the time. It says when a batch is done. */
import { DataTypes, Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';

const [url = '', schema = '', olderThan = ''] = process.argv.slice(2);
const sequelize = new Sequelize(url, {
  logging: false,
  dialectOptions: { application_name: `${schema}_prune`, options: `-c search_path=${schema}` },
});
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(sequelize.define('Invoice', { total: DataTypes.INTEGER }), { snapshots: true });

void auditLog.prune({
  olderThan,
  batchSize: 10,
  onProgress: ({ entries, versions }) => console.log(entries + versions),
});
