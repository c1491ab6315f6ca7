import type { Transaction } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { ImageReader, type DatabaseImage } from '../write-paths/database-image';
import { Subjects, type TableName } from '../write-paths/subjects';
import { defineModels } from './models';

const WORKERS = 8;

/** The database that a random history is written to. */
export class World {
  readonly database = testDatabase({ pool: { max: WORKERS + 4 } });
  readonly sequelize = this.database.sequelize;
  readonly models = defineModels(this.sequelize);
  readonly subjects: Subjects;
  readonly log: TableName = { schema: this.database.schema, table: 'audit_log_entries' };
  readonly #auditLog = createAuditLog(this.sequelize);
  /** Keys of rows that were made, the gone ones too. */
  readonly ids: Record<'Folder' | 'Leaf' | 'Remark' | 'Page' | 'Topic', number[]> = {
    Folder: [],
    Leaf: [],
    Remark: [],
    Page: [],
    Topic: [],
  };

  constructor() {
    const { Folder, Leaf, Remark, Page, Topic, Slot } = this.models;
    this.subjects = new Subjects(this.#auditLog, this.database.schema);
    this.subjects.register(Topic, { snapshots: true, repr: 'Topic {name}' });
    this.subjects.register(Folder, { snapshots: true, associations: ['topics'] });
    for (const model of [Leaf, Remark, Page, Slot]) this.subjects.register(model, { snapshots: true });
    // Deadlocks are part of the test; a second of waiting for each is not.
    this.sequelize.addHook('afterConnect', async (connection) => {
      await (connection as { query(sql: string): Promise<unknown> }).query(`set deadlock_timeout = '20ms'`);
    });
  }

  async open(): Promise<void> {
    await this.database.open();
    await this.database.rows(`set time zone 'UTC'`);
    await this.sequelize.sync();
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

export { WORKERS };

/** What a call of a worker is given. */
export interface CallOptions {
  readonly transaction?: Transaction;
  readonly audit: { readonly reason: string };
}
