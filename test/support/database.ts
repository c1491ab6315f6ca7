import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Sequelize, type Options } from 'sequelize';
import { databaseUrl, matrix } from './matrix';

const MAX_NAME_LENGTH = 63;
/** Sequelize's own look at the indexes meets tables of other test files that are dropped at this very moment. */
const MEANWHILE_DROPPED = [/cache lookup failed/, /could not open relation with OID/];
const UNIQUE_VIOLATION = '23505';
const CLOSE_TIMEOUT_MS = 2000;

/**
 * A schema of its own for this test file. Models may be defined on `sequelize` at once;
 * statements need `beforeAll(() => database.open())`, and `afterAll(() => database.close())` drops everything.
 */
export function testDatabase(options: Options = {}): TestDatabase {
  return new TestDatabase(options);
}

export class TestDatabase {
  readonly schema = schemaOfThisFile();
  readonly url = databaseUrl();
  readonly sequelize: Sequelize;
  /** For reading by raw SQL, past Sequelize and the library. */
  readonly admin = this.adminClient();
  serverMajor = 0;
  readonly #opened: Sequelize[] = [];
  readonly #clients: Client[] = [];
  readonly #schemas = [this.schema];

  constructor(options: Options) {
    this.sequelize = this.createSequelize(options);
  }

  async open(): Promise<void> {
    await this.admin.connect();
    this.serverMajor = await majorOf(this.admin);
    await this.#recreate(this.schema);
  }

  /** A second instance on the same schema, closed with the first. */
  createSequelize(options: Options = {}): Sequelize {
    const sequelize = new Sequelize(this.url, {
      logging: false,
      retry: { max: 5, match: MEANWHILE_DROPPED },
      ...options,
      dialectOptions: {
        application_name: this.schema,
        options: `-c search_path=${this.schema}`,
        ...options.dialectOptions,
      },
    });
    this.#opened.push(sequelize);
    return sequelize;
  }

  /** A further connection by the driver alone, for locks and contention; call `connect()` on it. */
  newClient(): Client {
    const client = this.adminClient();
    this.#clients.push(client);
    return client;
  }

  /** Another schema for this file, not in the search path, dropped with the first. */
  async createSchema(suffix: string): Promise<string> {
    const name = fitName(`${this.schema}_${suffix}`);
    this.#schemas.push(name);
    await this.#recreate(name);
    return name;
  }

  async rows<Row = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.admin.query(sql, values)).rows as Row[];
  }

  /** In schema public, since an extension is there once per database; other files may create it at the same time. */
  async createExtension(name: string): Promise<void> {
    try {
      await this.admin.query(`create extension if not exists "${name}" with schema public`);
    } catch (error) {
      if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    }
  }

  async close(): Promise<void> {
    const ends = [...this.#opened.map((one) => one.close()), ...this.#clients.map((one) => one.end())];
    // A test that failed inside a transaction keeps its connection; that must not hang the whole file.
    await Promise.race([Promise.allSettled(ends), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#endOtherSessions();
    for (const name of this.#schemas) await this.admin.query(`drop schema if exists "${name}" cascade`);
    await this.admin.end();
  }

  private adminClient(): Client {
    const client = new Client({
      connectionString: this.url,
      application_name: this.schema,
      options: `-c search_path=${this.schema}`,
    });
    client.on('error', () => undefined);
    return client;
  }

  async #recreate(name: string): Promise<void> {
    await this.admin.query('set client_min_messages = warning');
    await this.admin.query(`drop schema if exists "${name}" cascade`);
    await this.admin.query(`create schema "${name}"`);
  }

  async #endOtherSessions(): Promise<void> {
    await this.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = $1 and datname = current_database() and pid <> pg_backend_pid()`,
      [this.schema],
    );
  }
}

export async function majorOf(client: Pick<Client, 'query'>): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int / 10000 as version`,
  );
  return rows[0]?.version ?? 0;
}

function schemaOfThisFile(): string {
  const file = relative(process.cwd(), expect.getState().testPath ?? 'unknown');
  const plain = file.replace(/^test\//, '').replace(/\.test\.ts$/, '');
  return fitName(`t_express${matrix.express}_${plain.replaceAll(/\W+/g, '_')}`.toLowerCase());
}

function fitName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME_LENGTH - digest.length - 1)}_${digest}`;
}
