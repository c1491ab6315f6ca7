import { matrix } from '../../support/matrix';
import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'sequelize';
import { type ModelStatic, type Model, type Options, type Sequelize } from 'sequelize';
import { createAuditLog, type AuditLog } from 'sequelize-auditlog';
import { testDatabase, type TestDatabase } from '../../support/database';
import { Recorder } from './hook-recorder';
import { normalised } from './normalise';
import { Tables, type TablesState } from './tables';

/** Models by their names; a class may stand beside its scopes. */
export type Models = Record<string, ModelStatic<Model>>;

/** What a scenario works with. */
export interface Kit {
  readonly sequelize: Sequelize;
  /** Options that put a call into the scenario's transaction, if there is one. */
  readonly tx: { readonly transaction?: Transaction };
  /** The driver's client of no pool, for what others do meanwhile. */
  readonly database: TestDatabase;
}

type World<M extends Models> = M & Kit;

export interface Scenario<M extends Models> {
  /** Makes what is there before, with auditing off and nobody watching. */
  readonly prepare?: (world: World<M>) => unknown;
  readonly run: (world: World<M>) => unknown;
  /** The name of the error that the call throws, plain and audited. */
  readonly throws?: string;
  /** Entries that the audited call leaves: one, or none when it throws, unless told otherwise. */
  readonly entries?: number;
  /** Autocommit and a transaction, unless told otherwise. */
  readonly modes?: readonly Mode[];
  /** Things run side by side, so that their order is left to chance. */
  readonly isUnordered?: true;
}

export type Scenarios<M extends Models> = Readonly<Record<string, Scenario<M>>>;

export interface Setting<M extends Models> {
  /** @param otherSchema a schema that is not in the search path, for models that want one */
  readonly define: (sequelize: Sequelize, recorder: Recorder, otherSchema: string) => M;
  readonly options?: Options;
  /** Statements after the tables are created. */
  readonly ddl?: readonly string[];
  /** Names of models that are not registered. */
  readonly unregistered?: readonly string[];
}

export type Mode = 'autocommit' | 'a transaction' | 'a savepoint';

/** So that a stack reaches the test behind all that the library and Sequelize await. */
Error.stackTraceLimit = 50;

/** Of models that have a schema of their own. */
const OTHER_SCHEMA = 'other';
/** The older server answers by the same code but for its form of the statement: every third scenario, once, unless FULL=1. */
const EVERYTHING = process.env['FULL'] === '1' || matrix.postgresql >= 18;
const MODES: readonly Mode[] = EVERYTHING ? ['autocommit', 'a transaction'] : ['autocommit'];
/** A statement gets a name at its second use, which prepares it; the third finds it prepared. */
const AUTOCOMMIT_RUNS = process.env['FULL'] === '1' ? 3 : EVERYTHING ? 2 : 1;
const AUDITED_RUNS: Readonly<Record<Mode, number>> = {
  autocommit: AUTOCOMMIT_RUNS,
  'a transaction': 1,
  'a savepoint': 1,
};
const NOW = Date.UTC(2026, 10, 21, 20, 17, 26, 123);
const BEFORE = NOW - 3_600_000;

interface Side<M> {
  readonly sequelize: Sequelize;
  readonly models: M;
  readonly recorder: Recorder;
}

/** The same models twice on the same tables: once as they are, once audited. */
export class Equivalence<M extends Models> {
  readonly database: TestDatabase;
  readonly tables: Tables;
  readonly plain: Side<M>;
  readonly audited: Side<M>;
  readonly auditLog: AuditLog;
  readonly #setting: Setting<M>;
  #entries = 0;

  constructor(setting: Setting<M>) {
    this.#setting = setting;
    this.database = testDatabase(setting.options);
    this.tables = new Tables(this.database, this.#otherSchema);
    this.plain = this.#side();
    this.audited = this.#side();
    this.auditLog = createAuditLog(this.audited.sequelize);
    registerAll(this.auditLog, this.audited.models, setting.unregistered ?? []);
  }

  #side(): Side<M> {
    const recorder = new Recorder();
    // With one connection, whatever would need a second one could not go on.
    const pool = { max: 1, acquire: 10_000 };
    const sequelize = this.database.createSequelize({
      logging: recorder.logging,
      pool,
      ...this.#setting.options,
    });
    const models = this.#setting.define(sequelize, recorder, this.#otherSchema);
    recorder.watch(sequelize);
    return { sequelize, models, recorder };
  }

  get #otherSchema(): string {
    return `${this.database.schema}_${OTHER_SCHEMA}`;
  }

  async open(): Promise<void> {
    await this.database.open();
    await this.database.createSchema(OTHER_SCHEMA);
    await this.plain.sequelize.sync();
    for (const statement of this.#setting.ddl ?? []) await this.database.admin.query(statement);
    await this.auditLog.sync();
    await this.tables.find();
  }

  /** Registers one test per scenario and mode. */
  test(scenarios: Scenarios<M>): void {
    const all = Object.entries(scenarios);
    for (const [name, scenario] of EVERYTHING ? all : all.filter((_, at) => at % 3 === 0)) {
      test.each(scenario.modes ?? MODES)(`${name}, in %s`, async (mode) => {
        const { seen, expected } = await this.compare(scenario, mode);
        expect(seen).toStrictEqual(expected);
      });
    }
  }

  /** Runs a scenario plain, then audited several times, up to the first run that tells something else. */
  async compare(scenario: Scenario<M>, mode: Mode): Promise<Comparison> {
    const plain = await this.observe(this.plain, scenario, mode);
    const expected = { run: 0, throws: scenario.throws, entries: entriesOf(scenario, mode), plain };
    for (let run = 1; run <= AUDITED_RUNS[mode]; run += 1) {
      const audited = await this.observe(this.audited, scenario, mode);
      const seen = {
        ...expected,
        throws: errorName(audited.outcome),
        entries: this.#entries,
        plain: audited,
      };
      if (!isDeepStrictEqual(seen, expected))
        return { seen: { ...seen, run }, expected: { ...expected, run } };
    }
    // Jest's own comparison of all that was seen would take longer than the rest.
    return { seen: { ...expected, plain: 'as audited' }, expected: { ...expected, plain: 'as audited' } };
  }

  async observe(side: Side<M>, scenario: Scenario<M>, mode: Mode): Promise<Observation> {
    const kit = { sequelize: side.sequelize, database: this.database, tx: {} };
    await this.#prepare(scenario);
    const told = side.recorder.start();
    const outcome = await outcomeOf(() => inMode(mode, { ...side.models, ...kit }, scenario.run));
    side.recorder.stop();
    if (scenario.isUnordered) told.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    const { entries, ...state } = await this.tables.state();
    this.#entries = entries;
    // A failed insert may have drawn from a sequence or not: that depends on how its plan was made.
    const sequences = 'thrown' in outcome ? [] : state.sequences;
    return { outcome, told, ...state, sequences, busyConnections: busyConnections(side.sequelize) };
  }

  async #prepare({ prepare }: Scenario<M>): Promise<void> {
    const { sequelize, models } = this.plain;
    await this.tables.empty();
    freezeTime(BEFORE);
    await prepare?.({ ...models, sequelize, database: this.database, tx: {} });
    freezeTime(NOW);
  }
}

/** What a run of a scenario told, beside what it should have told. */
interface Comparison {
  readonly seen: object;
  readonly expected: object;
}

type Outcome = { readonly returned: unknown } | { readonly thrown: unknown };

/** All that an application and its database show of a call. */
interface Observation extends Omit<TablesState, 'entries'> {
  readonly outcome: Outcome;
  readonly told: readonly unknown[];
  readonly busyConnections: number;
}

/** Tests of `scenarios` on the models of `setting`, with everything they need around them. */
export function equivalence<M extends Models>(setting: Setting<M>): Equivalence<M> {
  const tested = new Equivalence(setting);
  beforeAll(() => tested.open());
  afterAll(async () => {
    jest.useRealTimers();
    await tested.database.close();
  });
  return tested;
}

async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return { returned: normalised(await work()) };
  } catch (error) {
    return { thrown: normalised(error) };
  }
}

function inMode<M extends Models>(mode: Mode, world: World<M>, run: Scenario<M>['run']): Promise<unknown> {
  const { sequelize } = world;
  if (mode === 'autocommit') return Promise.resolve(run(world));
  return sequelize.transaction(async (transaction) => {
    if (mode === 'a transaction') return run({ ...world, tx: { transaction } });
    return sequelize.transaction({ transaction }, async (inner) =>
      run({ ...world, tx: { transaction: inner } }),
    );
  });
}

function entriesOf<M extends Models>({ entries, throws }: Scenario<M>, mode: Mode): number {
  if (throws === undefined) return entries ?? 1;
  return mode === 'autocommit' ? (entries ?? 0) : 0;
}

function errorName(outcome: Outcome): string | undefined {
  return 'thrown' in outcome ? (outcome.thrown as Error).name : undefined;
}

/** Snapshots and every belongsToMany association: all that the library can be asked to store. */
function registerAll(auditLog: AuditLog, models: Models, unregistered: readonly string[]): void {
  for (const model of Object.values(models)) {
    if (unregistered.includes(model.name)) continue;
    const many = Object.values(model.associations).filter((each) => each.associationType === 'BelongsToMany');
    auditLog.registerAudited(model, { snapshots: true, associations: many.map((each) => each.as) });
  }
}

interface Pool {
  readonly using: number;
}

function busyConnections(sequelize: Sequelize): number {
  return (sequelize as unknown as { connectionManager: { pool: Pool } }).connectionManager.pool.using;
}

/** Only the clock stands still, so that both runs write the same times. */
export function freezeTime(now: number = NOW): void {
  jest.useFakeTimers({
    now,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}

type Mixins = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/** Calls a method that an association gave to an instance. */
export function mixin(instance: Model | null, name: string, ...args: readonly unknown[]): Promise<unknown> {
  const method = (instance as unknown as Mixins)[name];
  if (!method) throw new Error(`There is no mixin ${name}.`);
  return method.apply(instance, [...args]);
}
