import type * as Path from 'node:path';
import type { Options } from 'sequelize';
import { lazily } from '../core/lazily';
import { checkKeys } from '../core/suggest';
import { UsageError } from './exit-codes';
import type { GlobalFlags, Host } from './host';
import { findUpward, isFile, loadSettings, requireFile, resolveModule } from './load-module';

const path = lazily(() => require('node:path') as typeof Path);

/** What `sequelize-auditlog.config.*` may export; paths are relative to the file. */
export interface ConfigFile {
  /** Module that exports `auditLog`, whose database is used. */
  readonly require?: string;
  /** `postgres://user:password@host:port/database` */
  readonly url?: string;
  /** Options of `new Sequelize(...)`, beside or instead of `url`. */
  readonly sequelize?: Options;
  /** Schema of the log. @default the connection's default schema */
  readonly schema?: string;
  /** Table of the log. @default 'audit_log_entries' */
  readonly tableName?: string;
}

/** Which database, and how it was found. */
export type Database =
  | { readonly kind: 'module'; readonly file: string; readonly from: string }
  | {
      readonly kind: 'connection';
      readonly url: string | null;
      readonly options: Options;
      readonly from: string;
    };

export interface Settings {
  /** Null when no place names one. */
  readonly database: Database | null;
  /** Options of `createAuditLog` where no module creates it. */
  readonly log: { readonly schema?: string; readonly tableName?: string };
}

/** What settings are read from. */
export type Given = Pick<Host, 'cwd' | 'env'> & {
  readonly flags: Pick<GlobalFlags, 'config' | 'require' | 'url' | 'schema'>;
};

export const CONFIG_FILES = ['js', 'cjs', 'mjs', 'ts', 'json'].map(
  (ending) => `sequelize-auditlog.config.${ending}`,
);
const CONFIG_KEYS = ['require', 'url', 'sequelize', 'schema', 'tableName'];
const SEQUELIZE_RC = '.sequelizerc';

/** A configuration file and what it exports. */
interface Found {
  readonly file: string;
  readonly config: ConfigFile;
}

async function configFile({ cwd, flags }: Given): Promise<Found | null> {
  const file = flags.config === undefined ? findUpward(cwd, CONFIG_FILES) : path().resolve(cwd, flags.config);
  if (file === null) return null;
  if (!isFile(file)) throw new UsageError(`--config: there is no file ${file}.`);
  const config = await loadSettings(file);
  checkKeys(file, config, CONFIG_KEYS);
  return { file, config };
}

function byUrl(url: string | undefined, from: string): Database | null {
  return url ? { kind: 'connection', url, options: {}, from } : null;
}

function byConfigFile(found: Found | null): Database | null {
  if (found === null) return null;
  const { file, config } = found;
  if (config.require !== undefined)
    return { kind: 'module', file: resolveModule(config.require, path().dirname(file)), from: file };
  if (config.url === undefined && config.sequelize === undefined) return null;
  return { kind: 'connection', url: config.url ?? null, options: config.sequelize ?? {}, from: file };
}

/** As sequelize-cli reads its configuration: of NODE_ENV where it is divided so, else as a whole. */
async function bySequelizeRc({ cwd, env }: Given): Promise<Database | null> {
  const rc = findUpward(cwd, [SEQUELIZE_RC]);
  if (rc === null) return null;
  const folder = path().dirname(rc);
  const { config = path().join('config', 'config.json') } = requireFile(rc) as { readonly config?: string };
  const file = path().resolve(folder, config);
  const all = await loadSettings(file);
  const chosen = (all[env['NODE_ENV'] || 'development'] ?? all) as Options & {
    readonly url?: string;
    readonly use_env_variable?: string;
  };
  const { url, use_env_variable: variable, ...options } = chosen;
  const from = `${file} (by ${rc})`;
  if (url !== undefined) return { kind: 'connection', url, options, from };
  if (variable === undefined) return { kind: 'connection', url: null, options, from };
  const named = env[variable];
  if (named) return { kind: 'connection', url: named, options, from: `${variable} (by ${file})` };
  throw new UsageError(`${file} takes the database from ${variable}, which is not set.`);
}

/** @throws {UsageError} when flags contradict each other */
function byFlags({ cwd, flags }: Given): Database | null {
  if (flags.require === undefined) return byUrl(flags.url, '--url');
  for (const flag of ['url', 'schema'] as const) {
    if (flags[flag] === undefined) continue;
    throw new UsageError(
      `--require and --${flag} contradict each other: the module has a database and a log of its own. Leave one of them out.`,
    );
  }
  return { kind: 'module', file: resolveModule(flags.require, cwd), from: '--require' };
}

/**
 * Where the log is: `--require` or `--url`, `AUDIT_DATABASE_URL`, the configuration file, `.sequelizerc`, `DATABASE_URL`, in that
 * order. The names of the log's schema and table come from the configuration file in any case.
 *
 * @throws {UsageError}
 */
export async function readSettings(given: Given): Promise<Settings> {
  const { flags, env } = given;
  const found = await configFile(given);
  const { schema = found?.config.schema } = flags;
  const { tableName } = found?.config ?? {};
  const database =
    byFlags(given) ??
    byUrl(env['AUDIT_DATABASE_URL'], 'AUDIT_DATABASE_URL') ??
    byConfigFile(found) ??
    (await bySequelizeRc(given)) ??
    byUrl(env['DATABASE_URL'], 'DATABASE_URL');
  return {
    database,
    log: { ...(schema !== undefined && { schema }), ...(tableName !== undefined && { tableName }) },
  };
}
