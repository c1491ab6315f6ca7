import type * as SequelizePackage from 'sequelize';
import type { Options, Sequelize } from 'sequelize';
import type * as AuditLogModule from '../audit-log';
import type { AuditLog, Foundation } from '../audit-log';
import { AuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { unreachable } from './explain';
import { UsageError } from './exit-codes';
import { loadModule } from './load-module';
import type { Output } from './output';
import { redact, secretsOf } from './redact';
import type { Database, Settings } from './settings';

const sequelizePackage = lazily(() => require('sequelize') as typeof SequelizePackage);
const auditLogModule = lazily(() => require('../audit-log') as typeof AuditLogModule);

/** An audit log with a connection that answers. */
export interface Connection {
  readonly auditLog: AuditLog;
  readonly foundation: Foundation;
  /** Whether the application's own module gave it, with its registrations. */
  readonly hasModels: boolean;
  close(): Promise<void>;
}

const NO_DATABASE =
  'No database is named: give --url or --require, set AUDIT_DATABASE_URL or DATABASE_URL, or write a file sequelize-auditlog.config.js.';
/** Sequelize would wait for a minute, and the driver for ever. */
const CONNECT_TIMEOUT_MS = 10_000;

type Direct = Extract<Database, { kind: 'connection' }>;

/** @throws {AuditError} ERR_AUDIT_DIALECT: Sequelize would ask for the driver of that database instead */
function requirePostgres({ url, options, from }: Direct): void {
  const [, scheme] = /^([a-z0-9+.-]+):\/\//i.exec(url ?? '') ?? [];
  const dialect = url === null ? options.dialect : scheme?.toLowerCase();
  if (dialect === 'postgres' || (url !== null && dialect === 'postgresql')) return;
  const message = `The dialect of the database of ${from} is ${dialect ?? 'none that can be read'}, but entries are computed by PostgreSQL. Use postgres://user:password@host:port/database, or the dialect "postgres".`;
  throw new AuditError('ERR_AUDIT_DIALECT', message);
}

function optionsOf({ options }: Direct): Options {
  const dialectOptions = {
    application_name: 'sequelize-auditlog',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...options.dialectOptions,
  };
  return { ...options, dialect: 'postgres', dialectOptions, logging: false };
}

function createLog(database: Direct, { log }: Settings): AuditLog {
  requirePostgres(database);
  return auditLogModule().createAuditLog(instanceOf(database), log);
}

/** @throws {UsageError} */
function instanceOf(database: Direct): Sequelize {
  const { Sequelize: Instance } = sequelizePackage();
  const { url, from } = database;
  if (url === null) return new Instance(optionsOf(database));
  try {
    return new Instance(url, optionsOf(database));
  } catch (cause) {
    const message = `The URL of ${from} can't be read. Expected postgres://user:password@host:port/database, with special characters encoded (@ as %40).`;
    throw new UsageError(message, { cause });
  }
}

/** What the module exports as `auditLog`, as its default, or as a member of its default; also promises of these. */
async function exportedLog(file: string): Promise<AuditLog> {
  const module = (await loadModule(file)) as Readonly<Record<string, unknown>>;
  const own = (await module['default']) as Readonly<Record<string, unknown>> | null | undefined;
  for (const candidate of [module['auditLog'], own?.['auditLog'], own, module]) {
    const found = (await candidate) as AuditLog | null | undefined;
    if (typeof found === 'object' && found !== null && typeof found.registerAudited === 'function')
      return found;
  }
  throw new UsageError(`${file} exports no audit log: export what createAuditLog returns as "auditLog".`);
}

/** @throws {UsageError} when another copy of this package made the log: then nothing behind it is known here */
function foundationOf(auditLog: AuditLog, file: string): Foundation {
  try {
    return auditLogModule().foundationOf('sequelize-auditlog', auditLog);
  } catch {
    throw new UsageError(
      `${file} uses another copy of sequelize-auditlog than this program, which is ${__dirname}. Run the one of the project: npx sequelize-auditlog.`,
    );
  }
}

/** What the application set up for itself is not fit for a program whose stdout is data. */
function prepare({ settings: { sequelize } }: Foundation, output: Output, url: string | null): void {
  (sequelize as unknown as { readonly options: Options }).options.logging = false;
  const { password, username, database, host } = sequelize.config;
  for (const secret of secretsOf(url, password, [username, database, host])) output.secrets.add(secret);
}

type Opened = Pick<Connection, 'auditLog' | 'foundation'>;

async function ofModule(file: string, output: Output): Promise<Opened> {
  const auditLog = await exportedLog(file);
  const foundation = foundationOf(auditLog, file);
  prepare(foundation, output, null);
  return { auditLog, foundation };
}

function ofDatabase(database: Direct, settings: Settings, output: Output): Opened {
  const auditLog = createLog(database, settings);
  const foundation = foundationOf(auditLog, database.from);
  prepare(foundation, output, database.url);
  return { auditLog, foundation };
}

/** What stands behind the log that a module exports, for what needs its registrations only. */
export async function loadFoundation(file: string, output: Output): Promise<Foundation> {
  return (await ofModule(file, output)).foundation;
}

async function authenticate(sequelize: Sequelize, from: string): Promise<void> {
  try {
    await sequelize.authenticate();
  } catch (error) {
    throw unreachable(sequelize, from, error);
  }
}

/**
 * Opens the log that the settings lead to, and sees that its database answers.
 *
 * @throws {UsageError} when they lead to none
 */
export async function connect(settings: Settings, output: Output): Promise<Connection> {
  const { database } = settings;
  if (database === null) throw new UsageError(NO_DATABASE);
  const opened =
    database.kind === 'module'
      ? await ofModule(database.file, output)
      : ofDatabase(database, settings, output);
  const { sequelize } = opened.foundation.settings;
  output.detail(`Database: ${place(database, sequelize)}, from ${database.from}.`);
  await authenticate(sequelize, database.from);
  return { ...opened, hasModels: database.kind === 'module', close: () => sequelize.close() };
}

function place(database: Database, { config }: Sequelize): string {
  if (database.kind === 'connection' && database.url !== null) return redact(database.url);
  return `${config.database} at ${config.host ?? 'localhost'}:${config.port ?? 5432}`;
}
