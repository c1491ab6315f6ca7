import { AuditError } from '../core/errors';
import type { WriteContext } from '../core/types';
import type { ForeignKey } from '../schema/catalogue';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import {
  addressBinds,
  deleteRows,
  lockRows,
  NO_ROWS,
  noteConflict,
  NOTED,
  noteOthers,
  OTHERS_NOTED,
  rowsAt,
  type RowAddresses,
} from '../statement/addresses';
import { ownBinds } from '../statement/bind-literals';
import { compileWrite } from '../statement/compile';
import {
  affectedRows,
  type Consequence,
  type ParentJoin,
  type ParentSource,
  type Replacement,
} from '../statement/consequences';
import { contextBinds, contextValues } from '../statement/context-binds';
import type { ParsedWrite } from '../statement/parse-write';
import type { ModelPlan, PlannedColumn } from '../statement/plan';
import { WRITTEN } from '../statement/written-rows';
import type { ActorPolicy } from './actor-policy';
import { CascadeWalk, parentsOf, type AffectedRows, type Change, type Visit } from './cascade';
import { auditedOf, sameTable, type CascadeGraph } from './cascade-graph';
import { atomically } from './driver-transaction';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { AuditedTable, Registry } from './registry';
import { send, type DriverClient, type DriverResult } from './sequelize-adapter';
import { asPlain } from './single-write';
import { StatementCache } from './statement-cache';

/** A delete, or an update or upsert of a key, on whose account the database changes audited rows elsewhere. */
export interface CascadingWrite {
  readonly write: ParsedWrite;
  readonly values: readonly unknown[];
  /** Null when the written table itself is not audited. */
  readonly audited: AuditedTable | null;
  /** The foreign keys that lead from the table to audited rows. */
  readonly keys: readonly ForeignKey[];
  readonly graph: CascadeGraph;
  readonly context: WriteContext;
  readonly inTransaction: boolean;
}

const TRIAL = '"sequelize_auditlog_trial"';
const MAX_ATTEMPTS = 10;

/** Runs writes together with entries for all that the database removes or changes on their account. */
export class CascadingWrites {
  readonly #environment: Environment;
  readonly #registry: Registry;
  readonly #names: PreparedNames;
  readonly #policy: ActorPolicy;
  readonly #statements = new StatementCache();

  constructor(environment: Environment, registry: Registry, names: PreparedNames, policy: ActorPolicy) {
    this.#environment = environment;
    this.#registry = registry;
    this.#names = names;
    this.#policy = policy;
  }

  run(client: DriverClient, cascading: CascadingWrite): Promise<DriverResult> {
    return atomically(client, cascading.inTransaction, async () => {
      if (cascading.write.kind === 'insert') return this.#upsert(client, cascading);
      const own = await this.#lockOwn(client, cascading);
      return this.#write(client, cascading, own, await this.#parentsIn(client, cascading, own));
    });
  }

  /** FOR UPDATE, so that no child can come any more: its insert needs the parent's key shared. */
  async #lockOwn(client: DriverClient, { write, values }: CascadingWrite): Promise<RowAddresses> {
    const lock = ownBinds(lockRows(write.tableText, write.where), values);
    return addressesOf(await this.#send(client, lock.sql, lock.values));
  }

  /** Where triggers may keep rows that are to be deleted, the delete is tried first: only children of rows that go are affected. */
  async #parentsIn(
    client: DriverClient,
    { write, keys }: CascadingWrite,
    own: RowAddresses,
  ): Promise<RowAddresses> {
    if (write.kind !== 'delete' || !keys.some(({ mayKeepParent }) => mayKeepParent)) return own;
    await command(client, `savepoint ${TRIAL}`);
    const gone = await this.#send(client, deleteRows(write.tableText), addressBinds(own));
    await command(client, `rollback to savepoint ${TRIAL}`);
    await command(client, `release savepoint ${TRIAL}`);
    return addressesOf(gone);
  }

  /**
   * Only PostgreSQL knows which rows an upsert meets. So it is tried first, noting them and changing none; then they are
   * locked, and the write is made. Where it meets a row that came meanwhile, all begins anew.
   */
  async #upsert(client: DriverClient, cascading: CascadingWrite): Promise<DriverResult> {
    await command(client, `savepoint ${TRIAL}`);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const own = await this.#lockConflicting(client, cascading);
      const result = await this.#write(client, cascading, own, own);
      const [noted] = (await command(client, OTHERS_NOTED)).rows;
      if (noted?.['missed'] !== true) {
        await command(client, `release savepoint ${TRIAL}`);
        return result;
      }
      await command(client, `rollback to savepoint ${TRIAL}`);
    }
    throw restless(cascading.write);
  }

  async #lockConflicting(client: DriverClient, { write, values }: CascadingWrite): Promise<RowAddresses> {
    await this.#send(
      client,
      `${write.body} where ${noteConflict(quoteIdentifier(write.table.table))}`,
      values,
    );
    const noted = addressesOf(await command(client, NOTED));
    await command(client, `rollback to savepoint ${TRIAL}`);
    const text = lockRows(write.tableText, rowsAt('$1::oid[]', '$2::tid[]'));
    return addressesOf(await this.#send(client, text, addressBinds(noted)));
  }

  /** By address and condition: exactly the rows that are locked, not those that came to match meanwhile. */
  async #write(
    client: DriverClient,
    cascading: CascadingWrite,
    own: RowAddresses,
    parents: RowAddresses,
  ): Promise<DriverResult> {
    const affected = await this.#affected(client, cascading, parents);
    this.#checkActor(cascading, affected);
    const values = [...cascading.values, ...addressBinds(own)];
    const binds = [`$${values.length - 1}::oid[]`, `$${values.length}::tid[]`] as const;
    const settings = await this.#environment.settings(client);
    const plan = await this.#ownPlan(client, cascading);
    const planner = new ConsequencePlanner(this.#environment, this.#registry, cascading, plan, values);
    const consequences = await planner.plan(client, affected);
    const actorRow = cascading.context.labelFromRow ? settings.actorRow : null;
    const write = restricted(cascading.write, ...binds);
    const compiled = this.#statements.remembered(plan, keyOf(write, consequences, actorRow !== null), () =>
      compileWrite(write, plan, settings, contextBinds(values.length, actorRow), consequences),
    );
    const context = compiled.leavesEntries ? contextValues(cascading.context) : [];
    const result = await this.#send(client, compiled.text, [...values, ...context]);
    return asPlain(result, compiled, cascading.write.kind);
  }

  async #affected(
    client: DriverClient,
    { graph, keys, write }: CascadingWrite,
    rows: RowAddresses,
  ): Promise<AffectedRows[]> {
    const walk = new CascadeWalk(client, this.#names, graph, { table: keys[0]?.parent ?? null, rows });
    await (write.kind === 'delete' ? walk.followDelete(keys) : walk.followUpdate(keys));
    return walk.affected();
  }

  #checkActor({ context }: CascadingWrite, affected: readonly AffectedRows[]): void {
    for (const { table, changes } of affected) {
      this.#policy.check(context, auditedOf(this.#registry, table), [
        changes.length === 0 ? 'delete' : 'update',
      ]);
    }
  }

  #ownPlan(client: DriverClient, cascading: CascadingWrite): Promise<ModelPlan> {
    const columns = [
      ...cascading.keys.flatMap((key) => key.parentColumns),
      ...selfReferring(cascading).flatMap((key) => key.childColumns),
    ];
    return this.#environment.planWith(client, cascading.write.table, cascading.audited, columns);
  }

  #send(client: DriverClient, text: string, values: readonly unknown[]): Promise<DriverResult> {
    return send(client, { text, values, name: this.#names.nameFor(text) });
  }
}

function command(client: DriverClient, text: string): Promise<DriverResult> {
  return send(client, { text, values: [] });
}

function addressesOf({ rows }: DriverResult): RowAddresses {
  return rows[0] as unknown as RowAddresses;
}

function restless({ table }: ParsedWrite): AuditError {
  const message = `An upsert of "${table.table}" met ${MAX_ATTEMPTS} times rows that others had just written, so it was not made. Repeat it.`;
  return new AuditError('ERR_AUDIT_WRITE_FAILED', message);
}

/** The write narrowed to the rows at hand; an upsert can't leave others out, but tells of them. */
function restricted(write: ParsedWrite, tableIds: string, positions: string): ParsedWrite {
  if (write.kind === 'insert') {
    const where = noteOthers(quoteIdentifier(write.table.table), tableIds, positions);
    return { ...write, where, body: `${write.body} where ${where}` };
  }
  const locked = rowsAt(tableIds, positions);
  const where = write.where === null ? locked : `(${write.where}) and ${locked}`;
  const head =
    write.kind === 'delete' ? `delete from ${write.tableText}` : `update ${write.tableText} set ${write.set}`;
  return { ...write, where, body: `${head} where ${where}`, rowsAreLocked: true };
}

const planNumbers = new WeakMap<ModelPlan, number>();
let plans = 0;

function numberOf(plan: ModelPlan): number {
  const known = planNumbers.get(plan) ?? (plans += 1);
  planNumbers.set(plan, known);
  return known;
}

/** All that a compiled cascade depends on besides the written table's plan. */
function keyOf(
  { body, returning }: ParsedWrite,
  consequences: readonly Consequence[],
  hasLabel: boolean,
): string {
  const shapes = consequences.map(({ plan, replaced, ...rest }) => {
    return { ...rest, plan: numberOf(plan), replaced: replaced && [...replaced] };
  });
  return JSON.stringify([body, returning, hasLabel, shapes]);
}

/** The foreign keys by which an audited table refers to itself, where rows get another key. */
function selfReferring({ write, audited, keys }: CascadingWrite): ForeignKey[] {
  if (write.kind === 'delete' || !audited) return [];
  return keys.filter(({ child, parent }) => sameTable(child, parent));
}

type Effects = Pick<Consequence, 'replaced' | 'parents'>;

/** Turns affected rows into consequences; their addresses are added to the statement's values. */
class ConsequencePlanner {
  readonly #environment: Environment;
  readonly #registry: Registry;
  readonly #graph: CascadeGraph;
  readonly #root: CascadingWrite;
  readonly #rootPlan: ModelPlan;
  readonly #values: unknown[];
  readonly #planned = new Map<AffectedRows, Consequence>();

  constructor(
    environment: Environment,
    registry: Registry,
    root: CascadingWrite,
    rootPlan: ModelPlan,
    values: unknown[],
  ) {
    this.#environment = environment;
    this.#registry = registry;
    this.#graph = root.graph;
    this.#root = root;
    this.#rootPlan = rootPlan;
    this.#values = values;
  }

  async plan(client: DriverClient, affected: readonly AffectedRows[]): Promise<Consequence[]> {
    const own = await this.#ownConsequence(client);
    for (const rows of affected) await this.#add(client, rows);
    return [...own, ...this.#planned.values()];
  }

  /** Written rows that refer to written rows, maybe to themselves: they are changed once more when these get another key. */
  async #ownConsequence(client: DriverClient): Promise<Consequence[]> {
    const visits = selfReferring(this.#root).map((key): Visit => {
      const change = { key, action: key.onUpdate, parentGoes: false, columns: key.childColumns };
      return { table: key.child, change, from: null, rows: NO_ROWS };
    });
    if (visits.length === 0) return [];
    const effects = await this.#effects(client, visits);
    return [{ name: '"!cw"', plan: this.#rootPlan, rows: null, ...effects }];
  }

  async #add(client: DriverClient, affected: AffectedRows): Promise<void> {
    const following = affected.changes.flatMap(({ key }) => this.#graph.followingUpdate(key));
    const audited = auditedOf(this.#registry, affected.table);
    if (!audited && following.length === 0) return;
    const columns = following.flatMap((key) => key.parentColumns);
    const plan = await this.#environment.planWith(client, affected.table, audited, columns);
    this.#values.push(...addressBinds(affected.rows));
    this.#planned.set(affected, {
      name: `"!c${this.#planned.size}"`,
      plan,
      rows: {
        tableText: quoteTable(affected.table),
        where: affectedRows(`$${this.#values.length - 1}::oid[]`, `$${this.#values.length}::tid[]`),
      },
      ...(affected.changes.length === 0
        ? { replaced: null, parents: [] }
        : await this.#effects(client, affected.visits)),
    });
  }

  async #effects(client: DriverClient, visits: readonly Visit[]): Promise<Effects> {
    const replaced = new Map<string, Replacement[]>();
    const parents: ParentJoin[] = [];
    for (const visit of visits) {
      const { change } = visit;
      const sources = this.#sourcesOf(visit);
      if (!change || (!change.parentGoes && sources.length === 0)) continue;
      if (!change.parentGoes) parents.push({ sources, childColumns: change.key.childColumns });
      const parent = change.parentGoes ? null : parents.length - 1;
      for (const column of change.columns) {
        const value = await this.#valueOf(client, change, column);
        replaced.set(column, [...(replaced.get(column) ?? []), { parent, value }]);
      }
    }
    return { replaced, parents };
  }

  async #valueOf(
    client: DriverClient,
    { key, action }: Change,
    column: string,
  ): Promise<Replacement['value']> {
    if (action === 'c') return { kind: 'key', at: key.childColumns.indexOf(column) };
    const sql = action === 'd' ? await this.#environment.defaultOf(client, key.child, column) : null;
    return sql === null ? { kind: 'null' } : { kind: 'default', sql };
  }

  /** The images of the parents: of the written rows, or of rows that follow them. */
  #sourcesOf(visit: Visit): ParentSource[] {
    const columns = visit.change?.key.parentColumns ?? [];
    const keyIn = (plan: ModelPlan): PlannedColumn[] => columns.map((column) => planned(plan, column));
    if (visit.from === null) return [{ from: WRITTEN, key: keyIn(this.#rootPlan) }];
    return parentsOf(visit, [...this.#planned.keys()])
      .map((group) => this.#planned.get(group))
      .filter((each) => each?.replaced)
      .map((each) => ({ from: each!.name, key: keyIn(each!.plan) }));
  }
}

function planned(plan: ModelPlan, column: string): PlannedColumn {
  const found = plan.columns.find((each) => each.column === column);
  if (!found) throw new Error(`The plan of ${plan.name} lacks the column ${column}.`);
  return found;
}
