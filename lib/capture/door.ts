import type { AuditCallOption } from '../core/call-option';
import { AuditError, isAuditError } from '../core/errors';
import { lazily } from '../core/lazily';
import { OWN_ENTRY } from '../core/own-entry';
import type { WriteContext } from '../core/types';
import type { ForeignKey } from '../schema/catalogue';
import { quoteTable, type TableName } from '../schema/quote';
import type { CompiledStatement } from '../statement/compile';
import { bindLiterals, type BoundText } from '../statement/bind-literals';
import {
  insertTarget,
  namesIn,
  parseStatement,
  type ParsedStatement,
  type ParsedWrite,
} from '../statement/parse-write';
import type { Survey } from '../statement/survey';
import { ActorPolicy } from './actor-policy';
import { CascadeGraph } from './cascade-graph';
import type * as Cascading from './cascading-write';
import type { CascadingWrite, CascadingWrites } from './cascading-write';
import { Definitions } from './definitions';
import type * as Emptying from './emptying';
import type { Environment } from './environment';
import type * as GuardedInserts from './guarded-insert';
import type { PreparedNames } from './prepared-names';
import { RawWrites } from './raw-writes';
import type { AuditedTable, Registration, Registry } from './registry';
import {
  send,
  sendAsItIs,
  withoutStatement,
  type DriverCallback,
  type DriverClient,
  type DriverResult,
  type QueryOptions,
} from './sequelize-adapter';
import { SingleWrites, type CapturedWrite } from './single-write';
import { BoundedCache, type BoundWrite } from './statement-cache';
import { Turns } from './turns';
import type { Witness } from './witness';
import { inPlainWords } from './write-errors';

// What few programs, or few of their writes, need.
const cascades = lazily(() => require('./cascading-write') as typeof Cascading);
const emptyingTables = lazily(() => require('./emptying') as typeof Emptying);
const guardedInserts = lazily(() => require('./guarded-insert') as typeof GuardedInserts);

/** What the door needs of the audit log. */
export interface DoorSettings {
  readonly registry: Registry;
  readonly environment: Environment;
  readonly names: PreparedNames;
  readonly requireActor: boolean;
  readonly witness: Witness;
  /** The context of a write, or null when it is to leave no entry. */
  readonly resolveContext: (call: AuditCallOption | undefined) => WriteContext | null;
}

/** One statement of one query, on its way to the server. */
interface Passage {
  readonly options: QueryOptions;
  readonly client: DriverClient;
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Once resolved: asking may call the application, so it is done once. */
  context?: WriteContext | null;
}

interface KnownWrite {
  readonly captured: CapturedWrite;
  readonly compiled: CompiledStatement;
}

/**
 * Words without which nothing is written or defined; a text that has none of them passes unread. They may stand anywhere:
 * behind comments and other statements, in a WITH, an EXPLAIN or the body of a DO.
 */
const MAY_WRITE =
  /\b(?:insert|update|delete|truncate|merge|copy|create|alter|drop)\b|^\s*set\s+search_path\b/i;

/** What Sequelize puts before a statement for its option `searchPath`. */
const SEARCH_PATH = /^\s*set\s+search_path\b[^;]*;/i;

const UPSERTS = /\bon\s+conflict\b/i;

/** Of an insert the values are many and its text rarely comes again; `create` binds them itself. */
const HAS_LITERALS = /^(?:\s|--[^\n\r]*(?:[\n\r]|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:update|delete)\b/i;

/** Whether another statement follows the first. */
const GOES_ON = /;\s*[^\s;]/;

/**
 * The one place that every statement of a Sequelize instance passes: a write of a registered table leaves it together
 * with its entry, anything else as it came.
 */
export class Door {
  readonly #settings: DoorSettings;
  readonly #singleWrites: SingleWrites;
  readonly #cascadingWrites: () => CascadingWrites;
  readonly #statements = new BoundedCache<ParsedStatement>();
  readonly #turns = new Turns();
  readonly #policy: ActorPolicy;
  readonly #definitions: Definitions;
  readonly #rawWrites = new RawWrites();
  #graph: { readonly graph: CascadeGraph; readonly keys: object } | null = null;
  #generation = -1;

  constructor(settings: DoorSettings) {
    const { environment, names, registry, witness } = settings;
    this.#settings = settings;
    this.#singleWrites = new SingleWrites(environment, names, witness);
    this.#policy = new ActorPolicy(settings.requireActor);
    this.#definitions = new Definitions(environment, names);
    this.#cascadingWrites = lazily(
      () => new (cascades().CascadingWrites)(environment, registry, names, this.#policy),
    );
  }

  /** Takes one statement and answers exactly once. */
  pass(passage: Passage, answer: DriverCallback): void {
    this.#turns.take(passage.client, (done) => {
      const { options, client } = passage;
      const heard = options[OWN_ENTRY]
        ? this.#settings.witness.hearing(client, Boolean(options.transaction), answer)
        : answer;
      const answered = answeringAfter(done, heard);
      if (MAY_WRITE.test(passage.sql)) this.#passWrite(passage, answered);
      else this.#passOther(passage, answered);
    });
  }

  /** Sends a read as it came, but not into the midst of a write. */
  passRead(passage: Passage, answer: DriverCallback): void {
    this.#turns.take(passage.client, (done) => sendPassage(passage, answeringAfter(done, answer)));
  }

  #passOther(passage: Passage, answer: DriverCallback): void {
    const { witness } = this.#settings;
    const [defined, wrote] = [this.#definitions.endsAt(passage), witness.endsAt(passage)];
    if (!defined && !wrote) return sendPassage(passage, answer);
    const end = (): Promise<DriverResult> =>
      defined ? this.#definitions.end(passage.client, () => forward(passage)) : forward(passage);
    return settle(wrote ? witness.end(passage, end) : end(), answer);
  }

  #passWrite(passage: Passage, answer: DriverCallback): void {
    try {
      const known = this.#settings.witness.isListening ? null : this.#known(passage);
      if (known) this.#sendKnown(passage, known, answer);
      else this.#finish(passage, this.#take(passage), answer);
    } catch (error) {
      this.#finish(passage, Promise.reject(error), answer);
    }
  }

  #sendKnown(passage: Passage, { captured, compiled }: KnownWrite, answer: DriverCallback): void {
    this.#singleWrites.sendKnown(passage.client, captured, compiled, {
      result: (result) => answer(null, result),
      error: (again) => this.#finish(passage, again, answer),
    });
  }

  /** @param taken null for a statement that is to be sent as it came */
  #finish(passage: Passage, taken: Promise<DriverResult | null>, answer: DriverCallback): void {
    const told = taken.catch((error: Error) => {
      throw isAuditError(error)
        ? withoutStatement(error)
        : inPlainWords(error, passage.sql, passage.values.length);
    });
    settle(
      told.then((result) => result ?? forward(passage)),
      answer,
    );
  }

  /**
   * A write that was sent before and needs no question to the server: it is sent at once, without a promise. Null for what
   * goes the long way.
   *
   * @throws {AuditError} ERR_AUDIT_ACTOR_REQUIRED, ERR_AUDIT_INVALID_ARGUMENT
   */
  #known(passage: Passage): KnownWrite | null {
    const { registry } = this.#settings;
    const { sql, values } = this.#bind(passage);
    const statement = this.#statements.peek(sql);
    if (statement?.shape !== 'write' || registry.generation !== this.#generation) return null;
    const { write } = statement;
    const audited = registry.audited(write.table);
    if (!audited || !this.#isKnownSingle(audited, write)) return null;
    const context = this.#contextOf(passage);
    if (!context) return null;
    this.#policy.checkWrite(context, audited, write);
    const inTransaction = Boolean(passage.options.transaction);
    const captured = { write, text: sql, values, audited, context, inTransaction };
    const compiled = this.#singleWrites.known(captured);
    return compiled && { captured, compiled };
  }

  /** Whether nothing but the rows it names changes, and old rows are paired with new ones without a lock. */
  #isKnownSingle(audited: AuditedTable, write: ParsedWrite): boolean {
    const { environment } = this.#settings;
    if (changesOthers(write)) {
      const graph = this.#knownGraph();
      if (!graph || keysOf(graph, write).length > 0) return false;
    }
    if (write.kind !== 'update' || environment.knownSettings?.returningOldNew === true) return true;
    return environment.knownPlan(audited)?.keyIsUnique === true;
  }

  /** The answer, or null when the statement is to be sent as it came. */
  async #take(passage: Passage): Promise<DriverResult | null> {
    this.#followRegistry();
    const [prefix] = SEARCH_PATH.exec(passage.sql) ?? [];
    if (prefix === undefined) return this.#takeStatement(passage);
    const sql = passage.sql.slice(prefix.length);
    if (!MAY_WRITE.test(sql)) return null;
    await send(passage.client, { text: prefix, values: [] });
    return this.#takeStatement({ ...passage, sql });
  }

  async #takeStatement(passage: Passage): Promise<DriverResult | null> {
    const target = GOES_ON.test(passage.sql) ? null : insertTarget(passage.sql);
    const mayPass = target !== null && !this.#settings.registry.audited(target);
    if (mayPass && (await this.#isIrrelevant(target, passage))) return null;
    const bound = this.#bind(passage);
    const statement = this.#statements.get(bound.sql, () => parseStatement(bound.sql));
    switch (statement.shape) {
      case 'write':
        return this.#write(passage, { write: statement.write, text: bound.sql, values: bound.values });
      case 'guardedInsert':
        return this.#guardedInsert(passage, statement.insert);
      case 'truncate':
        return this.#truncate(passage, statement);
      case 'other':
        return this.#other(passage, statement);
    }
  }

  #contextOf(passage: Passage): WriteContext | null {
    passage.context ??= this.#settings.resolveContext(passage.options.audit);
    return passage.context;
  }

  /** A new registration may come with new tables, foreign keys and masks. */
  #followRegistry(): void {
    const { registry, environment } = this.#settings;
    if (registry.generation === this.#generation) return;
    this.#generation = registry.generation;
    environment.forget();
  }

  /** Updates and deletes with their literals bound; a text that was parsed before has none left. */
  #bind({ sql, values }: Passage): BoundText {
    return !HAS_LITERALS.test(sql) || this.#statements.peek(sql)
      ? { sql, values }
      : bindLiterals(sql, values);
  }

  async #write(passage: Passage, bound: BoundWrite): Promise<DriverResult | null> {
    const { write } = bound;
    // Known answers are taken as they are: each thing that is awaited costs every write.
    const audited =
      this.#settings.registry.audited(write.table) ?? (await this.#auditedOf(write.table, passage));
    const graph = changesOthers(write) ? (this.#knownGraph() ?? (await this.#graphOf(passage.client))) : null;
    const keys = graph ? keysOf(graph, write) : [];
    if (!audited && keys.length === 0) return null;
    const context = this.#contextOf(passage);
    if (!context) return null;
    this.#policy.checkWrite(context, audited, write);
    const captured = { ...bound, context, inTransaction: Boolean(passage.options.transaction) };
    const mustPair =
      write.kind === 'update' && this.#settings.environment.knownSettings?.returningOldNew !== true;
    const isCascade = keys.length > 0 || (mustPair && (await this.#needsLock(passage.client, audited)));
    if (graph && isCascade) return this.#cascade(passage.client, { ...captured, audited, graph, keys });
    return audited ? this.#singleWrites.run(passage.client, { ...captured, audited }) : null;
  }

  /** Before PostgreSQL 18 old and new are paired by the key; where it is not unique, rows are locked and paired by address. */
  async #needsLock(client: DriverClient, audited: AuditedTable | null): Promise<boolean> {
    const { environment } = this.#settings;
    const { returningOldNew } = environment.knownSettings ?? (await environment.settings(client));
    if (returningOldNew || !audited) return false;
    const plan = environment.knownPlan(audited) ?? (await environment.plan(client, audited));
    return plan?.keyIsUnique === false;
  }

  #cascade(client: DriverClient, cascading: CascadingWrite): Promise<DriverResult> {
    const { witness } = this.#settings;
    return this.#singleWrites.twice(cascading, () =>
      witness.around(client, cascading.inTransaction, (inTransaction) =>
        this.#cascadingWrites().run(client, { ...cascading, inTransaction }),
      ),
    );
  }

  async #guardedInsert(passage: Passage, insert: ParsedWrite): Promise<DriverResult | null> {
    const audited = await this.#auditedOf(insert.table, passage);
    if (!audited) return null;
    const context = this.#contextOf(passage);
    if (!context) return null;
    this.#policy.checkWrite(context, audited, insert);
    const bound = { write: insert, text: insert.body, values: passage.values };
    return guardedInserts().guardedInsert(passage.client, this.#singleWrites, {
      ...bound,
      audited,
      context,
      inTransaction: true,
    });
  }

  async #truncate(
    passage: Passage,
    { table, cascade }: { table: TableName; cascade: boolean },
  ): Promise<DriverResult | null> {
    const audited = await this.#auditedOf(table, passage);
    if (!audited && !cascade) return null;
    const context = this.#contextOf(passage);
    if (!context) return null;
    const emptying = {
      policy: this.#policy,
      sql: passage.sql,
      table: audited?.table ?? table,
      cascade,
      context,
      inTransaction: Boolean(passage.options.transaction),
    };
    const { registry, environment, witness } = this.#settings;
    const empty = (inTransaction: boolean): Promise<DriverResult | null> =>
      emptyingTables().emptyTables(passage.client, registry, environment, { ...emptying, inTransaction });
    return witness.around(passage.client, emptying.inTransaction, empty).catch((error: Error) => {
      throw this.#singleWrites.explain(error, audited);
    });
  }

  /** A write whose shape nobody has taught the compiler is refused from a model and noticed in raw SQL. */
  #other(passage: Passage, found: Survey): Promise<DriverResult> | null {
    this.#noticeWrite(passage, found);
    if (!found.defines) return null;
    return this.#definitions.run(passage.client, found, Boolean(passage.options.transaction), () =>
      forward(passage),
    );
  }

  #noticeWrite(passage: Passage, found: Survey): void {
    if (found.tables.size === 0) return;
    const { options, sql } = passage;
    const isOfModel = Boolean(options.model ?? options.instance) && !isRaw(options);
    const tables = isOfModel ? namesIn(sql) : found.tables;
    const registration = this.#settings.registry.registrations.find(({ table }) => tables.has(table.table));
    if (!registration || this.#contextOf(passage) === null) return;
    if (isOfModel) throw unsupported(registration);
    this.#rawWrites.notice(registration.name, sql, found);
  }

  /** Whether an insert may pass unread: its table is audited under no other name, and where it updates rows, neither are their children. */
  async #isIrrelevant(table: TableName, { client, sql, options }: Passage): Promise<boolean> {
    const { registry } = this.#settings;
    if (registry.namesakes(table).length > 0) return false;
    if (options.model && registry.findCloned(options.model)) return false;
    return !UPSERTS.test(sql) || (await this.#graphOf(client)).following(table).length === 0;
  }

  /** @throws {AuditError} ERR_AUDIT_UNREGISTERED_SCHEMA */
  async #auditedOf(table: TableName, passage: Passage): Promise<AuditedTable | null> {
    const { model } = passage.options;
    const audited = this.#settings.registry.audited(table) ?? (await this.#namesakeOf(table, passage));
    if (audited || !model) return audited;
    const original = this.#settings.registry.findCloned(model);
    if (!original || this.#contextOf(passage) === null) return null;
    const message = `${original.name}.schema(…) writes to ${quoteTable(table)}, which is another table than the registered one. Register it under its own name: registerAudited(${original.name}.schema(…), { modelName }).`;
    throw new AuditError('ERR_AUDIT_UNREGISTERED_SCHEMA', message);
  }

  /** The audited table under its other name: with its schema where it is registered without, or without where with. */
  async #namesakeOf(table: TableName, { client }: Passage): Promise<AuditedTable | null> {
    const { registry, environment } = this.#settings;
    for (const audited of registry.namesakes(table)) {
      if (await environment.isSame(client, table, audited.table)) return audited;
    }
    return null;
  }

  #knownGraph(): CascadeGraph | null {
    const keys = this.#settings.environment.knownForeignKeys;
    return keys && this.#graphOver(keys);
  }

  async #graphOf(client: DriverClient): Promise<CascadeGraph> {
    return this.#knownGraph() ?? this.#graphOver(await this.#settings.environment.foreignKeys(client));
  }

  #graphOver(keys: readonly ForeignKey[]): CascadeGraph {
    if (this.#graph?.keys !== keys)
      this.#graph = { graph: new CascadeGraph(keys, this.#settings.registry), keys };
    return this.#graph.graph;
  }
}

/** Raw SQL may name a model for its rows. */
function isRaw({ type, mapToModel }: QueryOptions): boolean {
  return type === 'SELECT' || mapToModel !== undefined;
}

/** A plain insert adds rows that nobody refers to yet. */
function changesOthers({ kind, onConflict }: ParsedWrite): boolean {
  return kind !== 'insert' || onConflict === 'update';
}

function keysOf(graph: CascadeGraph, write: ParsedWrite): readonly ForeignKey[] {
  const { kind, table, assigned, matched } = write;
  if (kind === 'delete') return graph.deleting(table);
  return kind === 'update' ? graph.updating(table, assigned) : graph.upserting(table, assigned, matched);
}

function sendPassage({ client, sql, values }: Passage, answer: DriverCallback): void {
  sendAsItIs(client, sql, values, answer);
}

function forward(passage: Passage): Promise<DriverResult> {
  return new Promise((resolve, reject) => {
    sendPassage(passage, (error, result) => (error ? reject(error) : resolve(result as DriverResult)));
  });
}

/** The next one's turn has come, whatever is done with the answer. */
function answeringAfter(done: () => void, answer: DriverCallback): DriverCallback {
  return (error, result) => {
    done();
    answer(error, result);
  };
}

function settle(work: Promise<DriverResult>, answer: DriverCallback): void {
  work.then(
    (result) => answer(null, result),
    (error: Error) => answer(error),
  );
}

function unsupported({ name }: Registration): AuditError {
  const message = `A write of ${name} has a form that can't be audited, so it was not made. Use { audit: false } for this one call, and please report the statement.`;
  return new AuditError('ERR_AUDIT_UNSUPPORTED_WRITE', message);
}
