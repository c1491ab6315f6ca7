import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { ImageReader, type DatabaseImage } from '../write-paths/database-image';
import { Subjects, type TableName } from '../write-paths/subjects';
import { Scene, WORKERS } from './scene';

/** Any number. */
const ENUMS = 4_857_120_261_122;

/** The database that a random history is written to. */
export class World {
  readonly database = testDatabase({ pool: { max: WORKERS + 4 } });
  readonly scene = new Scene(this.database.sequelize);
  readonly log: TableName = { schema: this.database.schema, table: 'audit_log_entries' };
  readonly #auditLog = createAuditLog(this.database.sequelize);
  readonly subjects = new Subjects(this.#auditLog, this.database.schema);

  constructor() {
    for (const [model, options] of this.scene.registrations) this.subjects.register(model, options);
  }

  async open(): Promise<void> {
    await this.database.open();
    await this.database.rows(`set time zone 'UTC'`);
    // Sequelize puts enum types into the schema `public`, which all files share: two that make one at once would collide.
    await this.database.rows(`select pg_advisory_lock(${ENUMS})::text`);
    await this.database.sequelize.sync();
    await this.database.rows(`select pg_advisory_unlock(${ENUMS})`);
    await this.#auditLog.sync();
  }

  /** All tables, when nobody writes any more. */
  async read(): Promise<DatabaseImage> {
    const through = { schema: this.database.schema, table: 'folder_topics' };
    const own = this.subjects.all.flatMap(({ table, history }) => (history ? [table, history] : [table]));
    const reader = new ImageReader([...own, through, this.log]);
    await reader.open(this.database.admin);
    return reader.read(this.database.admin);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
