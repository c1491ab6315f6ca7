import type { Transaction } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { testDatabase } from '../support/database';
import { Comparison, type Demand } from './compare';
import { ImageReader, quoted, type Connection, type DatabaseImage } from './database-image';
import { defineModels, MADE_TABLES, type Models } from './models';
import type { Bench } from './path';
import { STRANGE_TABLES } from './strange-models';
import { Subjects, type TableName } from './subjects';

/** The models and tables that all write paths share, and a view of them past the library. */
export class Fixture {
  readonly database = testDatabase();
  readonly bench: Bench;
  readonly subjects: Subjects;
  readonly #auditLog = createAuditLog(this.database.sequelize);
  readonly #otherSchema = `${this.database.schema}_other`;
  readonly #log: TableName = { schema: this.database.schema, table: 'audit_log_entries' };
  #reader = new ImageReader([]);

  constructor() {
    const { sequelize, schema } = this.database;
    const models = defineModels(sequelize, this.#otherSchema);
    this.bench = { models, sequelize, database: this.database };
    this.subjects = new Subjects(this.#auditLog, schema);
    register(this.subjects, models);
  }

  async open(): Promise<void> {
    const { database } = this;
    await database.open();
    await database.createSchema('other');
    await database.rows(`set time zone 'UTC'`);
    await this.#createTables();
    const own = Object.values(this.bench.models).map((model) => this.subjects.tableOf(model));
    const through = ['post_tags', 'post_labels'].map((table) => ({ schema: database.schema, table }));
    const histories = this.subjects.all.flatMap(({ history }) => (history ? [history] : []));
    const all = [...own, ...through, ...histories, this.#log];
    this.#reader = new ImageReader([...new Map(all.map((table) => [quoted(table), table])).values()]);
    await this.#reader.open(database.admin);
  }

  async #createTables(): Promise<void> {
    const { database } = this;
    await database.createExtension('citext');
    await database.rows(STRANGE_TABLES);
    await database.rows(MADE_TABLES);
    await database.rows(
      'create table fresh (id serial primary key, email public.citext, nickname public.citext)',
    );
    await database.sequelize.sync();
    await this.bench.models.Marker.sync();
    await this.#auditLog.sync();
  }

  /** Empties every table, past all triggers and foreign keys. */
  async clean(): Promise<void> {
    const { admin } = this.database;
    const deletes = (await this.#reader.filled(admin)).map((table) => `delete from ${quoted(table)}`);
    await admin.query(
      `begin; set local session_replication_role = replica; ${[...deletes, 'commit'].join('; ')}`,
    );
  }

  /** The tables as a second connection sees them, or as a transaction does. */
  read(transaction?: Transaction): Promise<DatabaseImage> {
    const { connection } = (transaction ?? {}) as { connection?: Connection };
    return this.#reader.read(connection ?? this.database.admin);
  }

  compare(before: DatabaseImage, after: DatabaseImage, demand: Demand): readonly string[] {
    return new Comparison(this.subjects.all, this.#log, before, after).wrongs(demand);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

function register(subjects: Subjects, models: Models): void {
  const { Account, Tag, Student, Course, Post, Scrap, Label, Member, ...others } = models;
  void [Scrap, Label, Member];
  subjects.register(Account, { snapshots: true, exclude: ['internal'], repr: 'Account {name} ({status})' });
  subjects.register(Tag, { repr: 'Tag {name}' });
  subjects.register(Post, { associations: ['tags'], snapshots: true });
  subjects.register(Student, {});
  subjects.register(Course, { associations: ['students'], repr: '{title}' });
  const bare = new Set<string>(['Draft', 'Memo', 'Part', 'Country']);
  for (const [name, model] of Object.entries(others))
    subjects.register(model, { snapshots: !bare.has(name) });
}
