import events from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditedModel, type AuditLog } from 'sequelize-auditlog';
import { createProject, type Project } from '../../support/built';
import { testDatabase, type TestDatabase } from '../../support/database';
import { say, type HostOptions, type Said } from './host';

/** The application's models, and what it does with them. */
export class Application {
  readonly Order: ModelStatic<Model>;
  readonly Item: ModelStatic<Model>;
  readonly auditLog: AuditLog;
  readonly orders: AuditedModel;

  constructor(readonly sequelize: Sequelize) {
    const id = { type: DataTypes.INTEGER, primaryKey: true };
    this.Order = sequelize.define('Order', { id, status: DataTypes.TEXT }, { timestamps: false });
    this.Item = sequelize.define('Item', { id, name: DataTypes.TEXT }, { timestamps: false });
    this.auditLog = createAuditLog(sequelize);
    this.orders = this.auditLog.registerAudited(this.Order, { snapshots: true });
    this.auditLog.registerAudited(this.Item);
    sequelize.define('Note', { text: DataTypes.TEXT });
  }
}

/** What an application of TypeScript has, with a Sequelize that logs as it does by default, and something that stays open. */
const AUDIT_TS = `
import { DataTypes, Model, Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';

export const sequelize = new Sequelize(process.env.SHOP_URL as string);

export class Order extends Model { declare id: number; declare status: string }
Order.init({ id: { type: DataTypes.INTEGER, primaryKey: true }, status: DataTypes.TEXT }, { sequelize, timestamps: false });
export class Item extends Model { declare id: number; declare name: string }
Item.init({ id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.TEXT }, { sequelize, timestamps: false });
export class Note extends Model {}
Note.init({ text: DataTypes.TEXT }, { sequelize, timestamps: false });

export const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Order, { snapshots: true });
auditLog.registerAudited(Item);

console.log('The shop is ready.');
setInterval(() => undefined, 1000);
`;

/** Modules that the program loads are outside of the tests' own world; Node's modules are in both. */
const SHARED = Symbol.for('sequelize-auditlog test application');
const SHARED_JS = `module.exports = require('node:events')[Symbol.for('${SHARED.description}')];`;

/** Tables of a small shop, seen from this process, and a project of a user with the same models. */
export class Shop {
  readonly database: TestDatabase = testDatabase();
  readonly application = new Application(this.database.sequelize);
  #folder = '';
  #project: Project | undefined;

  /** A URL that finds the tables without naming their schema. */
  get url(): string {
    const url = new URL(this.database.url);
    url.searchParams.set('options', `-c search_path=${this.database.schema}`);
    return url.href.replaceAll('+', '%20');
  }

  /** A project of a user, with the compiled package. */
  get project(): Project {
    if (!this.#project) throw new Error('call install() first');
    return this.#project;
  }

  /** A folder for the program to run in and for files of tests. */
  get folder(): string {
    return this.#project?.folder ?? this.#folder;
  }

  async open(): Promise<void> {
    await this.database.open();
    await this.database.sequelize.sync();
    await this.application.auditLog.sync();
    this.#folder = await realpath(await mkdtemp(join(tmpdir(), 'auditlog-cli-')));
    await writeFile(join(this.#folder, 'shared.cjs'), SHARED_JS);
  }

  /** For tests that start processes. */
  async install(): Promise<void> {
    this.#project = await createProject({ 'audit.ts': AUDIT_TS, 'shared.cjs': SHARED_JS });
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#project?.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Runs the program inside this process with the application's models, on an instance of its own. */
  async say(
    argv: readonly string[],
    options: HostOptions = {},
    change: (application: Application) => void = () => undefined,
  ): Promise<Said> {
    this.lend(change);
    return say([...argv, '--require', './shared.cjs'], { cwd: this.folder, ...options });
  }

  /** Gives `shared.cjs` an application for the next run, which closes its connections. */
  lend(change: (application: Application) => void = () => undefined): void {
    const application = new Application(this.database.createSequelize());
    change(application);
    Object.assign(events, { [SHARED]: application.auditLog });
  }

  /** Leaves nothing but the tables. */
  async empty(): Promise<void> {
    const { log, history } = this.tables;
    await this.database.rows(`truncate "Orders", "Items", ${log}, ${history}`);
  }

  get tables(): { readonly log: string; readonly history: string } {
    return { log: '"audit_log_entries"', history: '"Orders_history"' };
  }

  async count(table: string): Promise<number> {
    const [row] = await this.database.rows<{ count: number }>(`select count(*)::int as count from ${table}`);
    return row?.count ?? 0;
  }

  /** Entries of updates that are as many days old, as the application would have left them; the oldest first. */
  async addEntries(
    count: number,
    { daysAgo, model = 'Item' }: { daysAgo: number; model?: string },
  ): Promise<void> {
    await this.database.rows(
      `insert into ${this.tables.log} ("timestamp", "action", "model", "object_pk", "object_repr", "changes", "actor_id", "transaction_id")
       select now() - $2::int * interval '1 day' + n * interval '1 microsecond', 'update', $3, '1', $3 || ' 1',
         jsonb_build_object('name', jsonb_build_array('n' || (n - 1), 'n' || n)), 'ada', 1
       from generate_series(1, $1::int) n`,
      [count, daysAgo, model],
    );
  }
}
