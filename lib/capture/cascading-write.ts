import type { WriteContext } from '../core/types';
import type { CatalogueTable, ForeignKey } from '../schema/catalogue';
import { quoteTable } from '../schema/quote';
import { ownBinds } from '../statement/bind-literals';
import { compileCascade } from '../statement/compile';
import { rowsAt, type Consequence, type ParentJoin, type Replacement } from '../statement/consequences';
import { contextBinds, contextValues } from '../statement/context-binds';
import type { ParsedWrite } from '../statement/parse-write';
import type { ModelPlan, PlannedColumn } from '../statement/plan';
import { WRITTEN } from '../statement/written-rows';
import {
  ADDRESS,
  addressBinds,
  addressesOf,
  CascadeWalk,
  type AffectedRows,
  type Change,
  type RowAddresses,
} from './cascade';
import { auditedOf, sameTable, type CascadeGraph } from './cascade-graph';
import type { ActorPolicy } from './actor-policy';
import { atomically } from './driver-transaction';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { AuditedTable, Registry } from './registry';
import { send, type DriverClient, type DriverResult } from './sequelize-adapter';
import { asPlain } from './single-write';

/** A delete, or an update of a key, on whose account the database changes audited rows elsewhere. */
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

/** Runs writes together with entries for all that the database removes or changes on their account. */
export class CascadingWrites {
  readonly #environment: Environment;
  readonly #registry: Registry;
  readonly #names: PreparedNames;
  readonly #policy: ActorPolicy;

  constructor(environment: Environment, registry: Registry, names: PreparedNames, policy: ActorPolicy) {
    this.#environment = environment;
    this.#registry = registry;
    this.#names = names;
    this.#policy = policy;
  }

  async run(client: DriverClient, cascading: CascadingWrite): Promise<DriverResult> {
    return atomically(client, cascading.inTransaction, async () => {
      const own = await this.#lockOwn(client, cascading);
      const walk = new CascadeWalk(client, cascading.graph, own);
      if (cascading.write.kind === 'delete') await walk.followDelete(cascading.keys, own);
      else await walk.followUpdate(cascading.keys, own);
      const affected = walk.affected();
      this.#checkActor(cascading, affected);
      return this.#write(client, cascading, own, affected);
    });
  }

  #checkActor({ context }: CascadingWrite, affected: readonly AffectedRows[]): void {
    for (const { table, changes } of affected) {
      this.#policy.check(context, auditedOf(this.#registry, table), [
        changes.length === 0 ? 'delete' : 'update',
      ]);
    }
  }

  /** FOR UPDATE, so that no child can come any more: its insert needs the parent's key shared. */
  async #lockOwn(client: DriverClient, { write, values }: CascadingWrite): Promise<RowAddresses> {
    const where = write.where === null ? '' : ` where ${write.where}`;
    const lock = ownBinds(`select ${ADDRESS} from ${write.tableText}${where} for update`, values);
    const { rows } = await this.#send(client, lock.sql, lock.values);
    return addressesOf(rows);
  }

  /** By address and condition: exactly the rows that are locked, not those that came to match meanwhile. */
  async #write(
    client: DriverClient,
    cascading: CascadingWrite,
    own: RowAddresses,
    affected: readonly AffectedRows[],
  ): Promise<DriverResult> {
    const values = [...cascading.values, ...addressBinds(own)];
    const locked = rowsAt(`$${values.length - 1}::oid[]`, `$${values.length}::tid[]`);
    const settings = await this.#environment.settings(client);
    const plan = await this.#ownPlan(client, cascading);
    const consequences = await new ConsequencePlanner(
      this.#environment,
      this.#registry,
      cascading,
      plan,
      values,
    ).plan(client, affected);
    const binds = contextBinds(values.length, cascading.context.labelFromRow ? settings.actorRow : null);
    const compiled = compileCascade(restricted(cascading.write, locked), plan, consequences, settings, binds);
    const result = await this.#send(client, compiled.text, [...values, ...contextValues(cascading.context)]);
    return asPlain(result, compiled, cascading.write.kind);
  }

  #ownPlan(client: DriverClient, { write, audited, keys }: CascadingWrite): Promise<ModelPlan> {
    return this.#environment.planWith(
      client,
      write.table,
      audited,
      keys.flatMap((key) => key.parentColumns),
    );
  }

  #send(client: DriverClient, text: string, values: readonly unknown[]): Promise<DriverResult> {
    return send(client, { text, values, name: this.#names.nameFor(text) });
  }
}

/** The write narrowed to the rows at hand. */
function restricted(write: ParsedWrite, locked: string): ParsedWrite {
  const where = write.where === null ? locked : `(${write.where}) and ${locked}`;
  const head =
    write.kind === 'delete' ? `delete from ${write.tableText}` : `update ${write.tableText} set ${write.set}`;
  return { ...write, where, body: `${head} where ${where}`, rowsAreLocked: true };
}

/** Turns affected rows into consequences; their addresses are added to the statement's values. */
class ConsequencePlanner {
  readonly #environment: Environment;
  readonly #registry: Registry;
  readonly #graph: CascadeGraph;
  readonly #root: { readonly keys: readonly ForeignKey[]; readonly plan: ModelPlan };
  readonly #values: unknown[];
  readonly #planned: { readonly table: CatalogueTable; readonly consequence: Consequence }[] = [];

  constructor(
    environment: Environment,
    registry: Registry,
    { graph, keys }: CascadingWrite,
    plan: ModelPlan,
    values: unknown[],
  ) {
    this.#environment = environment;
    this.#registry = registry;
    this.#graph = graph;
    this.#root = { keys, plan };
    this.#values = values;
  }

  async plan(client: DriverClient, affected: readonly AffectedRows[]): Promise<Consequence[]> {
    for (const rows of affected) await this.#add(client, rows);
    return this.#planned.map(({ consequence }) => consequence);
  }

  async #add(client: DriverClient, rows: AffectedRows): Promise<void> {
    const following = rows.changes.flatMap(({ key }) => this.#graph.followingUpdate(key));
    const audited = auditedOf(this.#registry, rows.table);
    if (!audited && following.length === 0) return;
    const columns = following.flatMap((key) => key.parentColumns);
    const plan = await this.#environment.planWith(client, rows.table, audited, columns);
    this.#values.push(...addressBinds(rows));
    const consequence: Consequence = {
      name: `"!c${this.#planned.length}"`,
      plan,
      tableText: quoteTable(rows.table),
      tableIds: `$${this.#values.length - 1}::oid[]`,
      positions: `$${this.#values.length}::tid[]`,
      ...(await this.#effects(client, rows)),
    };
    this.#planned.push({ table: rows.table, consequence });
  }

  async #effects(
    client: DriverClient,
    { table, changes }: AffectedRows,
  ): Promise<Pick<Consequence, 'replaced' | 'parents'>> {
    if (changes.length === 0) return { replaced: null, parents: [] };
    const replaced = new Map<string, Replacement>();
    const parents: ParentJoin[] = [];
    for (const change of changes) {
      const parent = change.action === 'c' ? this.#parentOf(change) : null;
      if (parent) parents.push(parent);
      for (const [at, column] of change.key.childColumns.entries()) {
        if (!parent && !change.columns.includes(column)) continue;
        replaced.set(
          column,
          parent
            ? parentValue(parents.length - 1, parent, at)
            : await this.#ownValue(client, table, column, change),
        );
      }
    }
    return { replaced, parents };
  }

  async #ownValue(
    client: DriverClient,
    table: CatalogueTable,
    column: string,
    { action }: Change,
  ): Promise<Replacement> {
    const sql = action === 'd' ? await this.#environment.defaultOf(client, table, column) : null;
    return sql === null ? { kind: 'null' } : { kind: 'default', sql };
  }

  /** The images of the parents: the written rows, or those of rows that follow them. */
  #parentOf({ key }: Change): ParentJoin | null {
    const isRoot = this.#root.keys.includes(key);
    const before = this.#planned.find(({ table }) => sameTable(table, key.parent))?.consequence;
    const source = isRoot
      ? { from: WRITTEN, plan: this.#root.plan }
      : before && { from: before.name, plan: before.plan };
    if (!source) return null;
    const on = key.childColumns.map((child, at) => ({
      child,
      parent: planned(source.plan, key.parentColumns[at] ?? ''),
    }));
    return { from: source.from, on };
  }
}

function planned(plan: ModelPlan, column: string): PlannedColumn {
  const found = plan.columns.find((each) => each.column === column);
  if (!found) throw new Error(`The plan of ${plan.name} lacks the column ${column}.`);
  return found;
}

function parentValue(join: number, parent: ParentJoin, at: number): Replacement {
  const column = parent.on[at]?.parent;
  return column ? { kind: 'parent', join, column } : { kind: 'null' };
}
