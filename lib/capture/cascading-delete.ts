import type { WriteContext } from '../core/types';
import { compileCascade, rowsAt, type Consequence } from '../statement/compile';
import { contextBinds, contextValues } from '../statement/context-binds';
import type { ParsedWrite } from '../statement/parse-write';
import type { ModelPlan } from '../statement/plan';
import { quoteTable } from '../schema/quote';
import { addressBinds, CascadeWalk, type AffectedRows, type RowAddresses } from './cascade';
import { auditedOf, type CascadeGraph } from './cascade-graph';
import { atomically } from './driver-transaction';
import type { Environment } from './environment';
import type { PreparedNames } from './prepared-names';
import type { AuditedTable, Registry } from './registry';
import { send, type DriverClient, type DriverResult } from './sequelize-adapter';
import { asPlain } from './single-write';

/** A delete whose table others refer to. */
export interface CascadingDelete {
  readonly write: ParsedWrite;
  readonly values: readonly unknown[];
  /** Null when the deleted table itself is not audited. */
  readonly audited: AuditedTable | null;
  readonly context: WriteContext;
  readonly inTransaction: boolean;
}

/** Deletes rows together with entries for all that the database removes or changes on their account. */
export class CascadingDeletes {
  readonly #environment: Environment;
  readonly #registry: Registry;
  readonly #names: PreparedNames;

  constructor(environment: Environment, registry: Registry, names: PreparedNames) {
    this.#environment = environment;
    this.#registry = registry;
    this.#names = names;
  }

  async run(client: DriverClient, graph: CascadeGraph, deletion: CascadingDelete): Promise<DriverResult> {
    return atomically(client, deletion.inTransaction, async () => {
      const own = await this.#lockOwn(client, deletion);
      const walk = new CascadeWalk(client, graph);
      walk.exclude(own);
      await walk.follow(graph.keysInto(deletion.write.table), own);
      return this.#delete(client, deletion, own, walk.affected());
    });
  }

  /** FOR UPDATE, so that no child can come any more: its insert needs the parent's key shared. */
  async #lockOwn(client: DriverClient, { write, values }: CascadingDelete): Promise<RowAddresses> {
    const where = write.where === null ? '' : ` where ${write.where}`;
    const text = `select "tableoid"::text as "t", "ctid"::text as "c" from ${write.tableText}${where} for update`;
    const { rows } = await this.#send(client, text, values);
    return { tableIds: rows.map((row) => String(row['t'])), positions: rows.map((row) => String(row['c'])) };
  }

  /** By address and condition: exactly the rows that are locked, not those that came to match meanwhile. */
  async #delete(
    client: DriverClient,
    deletion: CascadingDelete,
    own: RowAddresses,
    affected: readonly AffectedRows[],
  ): Promise<DriverResult> {
    const values = [...deletion.values, ...addressBinds(own)];
    const locked = rowsAt(`$${values.length - 1}::oid[]`, `$${values.length}::tid[]`);
    const where = deletion.write.where === null ? locked : `(${deletion.write.where}) and ${locked}`;
    const body = `delete from ${deletion.write.tableText} where ${where}`;
    const settings = await this.#environment.settings(client);
    const consequences = await this.#consequences(client, affected, values);
    const binds = contextBinds(values.length, deletion.context.labelFromRow ? settings.actorRow : null);
    const plan = deletion.audited && (await this.#environment.plan(client, deletion.audited));
    const compiled = compileCascade({ ...deletion.write, body }, plan, consequences, settings, binds);
    const result = await this.#send(client, compiled.text, [...values, ...contextValues(deletion.context)]);
    return asPlain(result, compiled, 'delete');
  }

  /** What the affected rows of audited tables leave; their addresses are added to `values`. */
  async #consequences(client: DriverClient, affected: readonly AffectedRows[], values: unknown[]): Promise<Consequence[]> {
    const consequences: Consequence[] = [];
    for (const rows of affected) {
      const plan = await this.#planOf(client, rows);
      if (!plan) continue;
      values.push(...addressBinds(rows));
      const [tableIds, positions] = [`$${values.length - 1}::oid[]`, `$${values.length}::tid[]`];
      consequences.push({ plan, tableText: quoteTable(rows.table), tableIds, positions, nulled: rows.nulled });
    }
    return consequences;
  }

  async #planOf(client: DriverClient, { table }: AffectedRows): Promise<ModelPlan | null> {
    const audited = auditedOf(this.#registry, table);
    return audited && this.#environment.plan(client, audited);
  }

  #send(client: DriverClient, text: string, values: readonly unknown[]): Promise<DriverResult> {
    return send(client, { text, values, name: this.#names.nameFor(text) });
  }
}
