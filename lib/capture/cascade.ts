import { AuditError } from '../core/errors';
import { INSUFFICIENT_PRIVILEGE } from '../core/postgres-codes';
import type { CatalogueTable, ForeignKey, ReferentialAction } from '../schema/catalogue';
import {
  addressBinds,
  groupAddresses,
  joinAddresses,
  lockChildren,
  type RowAddresses,
} from '../statement/addresses';
import { sameTable, type CascadeGraph } from './cascade-graph';
import type { PreparedNames } from './prepared-names';
import { send, type DriverClient } from './sequelize-adapter';
import type { DatabaseError } from './write-errors';

/** A foreign key that changes a row, and how: by its parent's deletion or by the parent's new key. */
export interface Change {
  readonly key: ForeignKey;
  readonly action: ReferentialAction;
  /** Whether the parent is deleted, and does not only get another key. */
  readonly parentGoes: boolean;
  /** The columns that SET NULL and SET DEFAULT change. */
  readonly columns: readonly string[];
}

/** Rows of one table that one foreign key removes or changes on account of rows found before. */
export interface Visit {
  readonly table: CatalogueTable;
  /** Null when the rows are removed. */
  readonly change: Change | null;
  /** Where their parents were found; null for the rows of the write itself. */
  readonly from: Visit | null;
  readonly rows: RowAddresses;
}

/** Rows of one table that meet the same fate: removed, or changed by the same foreign keys. */
export interface AffectedRows {
  readonly table: CatalogueTable;
  readonly rows: RowAddresses;
  readonly visits: readonly Visit[];
  /** None when the rows are removed. */
  readonly changes: readonly Change[];
}

/** The rows that the write itself removes or changes, locked. */
export interface OwnRows {
  readonly table: CatalogueTable | null;
  readonly rows: RowAddresses;
}

/** Where a walk goes on. */
interface Step {
  readonly visit: Visit | null;
  readonly rows: RowAddresses;
}

/**
 * Finds and locks, level by level, all rows that a write removes or changes elsewhere. Each level is a statement of its
 * own: its snapshot is younger than the locks above it, so a child that was committed while they were awaited is seen.
 */
export class CascadeWalk {
  readonly #client: DriverClient;
  readonly #names: PreparedNames;
  readonly #graph: CascadeGraph;
  readonly #own: OwnRows;
  readonly #visits: Visit[] = [];

  constructor(client: DriverClient, names: PreparedNames, graph: CascadeGraph, own: OwnRows) {
    this.#client = client;
    this.#names = names;
    this.#graph = graph;
    this.#own = own;
  }

  /** Follows foreign keys from the write's own rows, which are locked and about to be deleted. */
  async followDelete(keys: readonly ForeignKey[]): Promise<void> {
    await this.#followDelete(keys, { visit: null, rows: this.#own.rows });
  }

  /** Follows foreign keys from the write's own rows, which are locked and about to get another key. */
  async followUpdate(keys: readonly ForeignKey[]): Promise<void> {
    await this.#followUpdate(keys, { visit: null, rows: this.#own.rows });
  }

  async #followDelete(keys: readonly ForeignKey[], parents: Step): Promise<void> {
    for (const key of keys) {
      if (parents.rows.count === 0) return;
      if (key.onDelete === 'c') await this.#removeChildren(key, parents);
      else
        await this.#changeChildren(
          { key, action: key.onDelete, parentGoes: true, columns: key.onDeleteColumns },
          parents,
        );
    }
  }

  async #followUpdate(keys: readonly ForeignKey[], parents: Step): Promise<void> {
    for (const key of keys) {
      if (parents.rows.count > 0)
        await this.#changeChildren(
          { key, action: key.onUpdate, parentGoes: false, columns: key.childColumns },
          parents,
        );
    }
  }

  async #removeChildren(key: ForeignKey, parents: Step): Promise<void> {
    const found = await this.#visit(key, null, parents, 'for update');
    const next = this.#graph.keysInto(key.child).filter((each) => this.#graph.leadsOnDelete(each));
    await this.#followDelete(next, found);
  }

  async #changeChildren(change: Change, parents: Step): Promise<void> {
    const following = this.#graph.followingUpdate(change.key);
    const lock = following.length > 0 ? 'for update' : 'for no key update';
    await this.#followUpdate(following, await this.#visit(change.key, change, parents, lock));
  }

  /** Locks the children that were not found before: cycles and diamonds end here. */
  async #visit(key: ForeignKey, change: Change | null, parents: Step, lock: string): Promise<Step> {
    const seen = this.#seen(key, change);
    const text = lockChildren(key, lock, seen !== null);
    const values = [...addressBinds(parents.rows), ...(seen ? addressBinds(seen) : [])];
    const name = this.#names.nameFor(text);
    const { rows } = await send(this.#client, { text, values, name }).catch((error: DatabaseError) => {
      throw error.code === INSUFFICIENT_PRIVILEGE ? notPermitted(key, error) : error;
    });
    const visit = { table: key.child, change, from: parents.visit, rows: rows[0] as unknown as RowAddresses };
    if (visit.rows.count > 0) this.#visits.push(visit);
    return { visit, rows: visit.rows };
  }

  /** Rows of the child's table that are not to be found again; null when the walk was not there yet. */
  #seen({ child }: ForeignKey, change: Change | null): RowAddresses | null {
    const before = this.#visits.filter(
      (visit) =>
        sameTable(visit.table, child) &&
        (visit.change === null || (change !== null && visit.change.key === change.key)),
    );
    const { table, rows } = this.#own;
    const own = table && sameTable(table, child) ? [rows] : [];
    const all = [...own, ...before.map((visit) => visit.rows)];
    return all.length === 0 ? null : joinAddresses(all);
  }

  /** The affected rows, grouped by table and fate, parents before children. */
  async affected(): Promise<AffectedRows[]> {
    const groups: AffectedRows[] = [];
    const tables = this.#visits.map(({ table }) => table);
    for (const [at, table] of tables.entries()) {
      if (tables.findIndex((each) => sameTable(each, table)) === at)
        groups.push(...(await this.#groupsOf(table)));
    }
    return parentsFirst(groups);
  }

  /** A row may be changed by several keys, or changed by one and removed by another. */
  async #groupsOf(table: CatalogueTable): Promise<AffectedRows[]> {
    const visits = this.#visits.filter((visit) => sameTable(visit.table, table));
    const removals = visits.filter(({ change }) => change === null);
    const changing = visits.filter(({ change }) => change !== null);
    if (changing.length === 0 || visits.length === 1)
      return [affectedBy(visits, joinAddresses(visits.map(({ rows }) => rows)))];
    const sets = [...changing.map(({ rows }) => rows), joinAddresses(removals.map(({ rows }) => rows))];
    const { rows } = await send(this.#client, {
      text: groupAddresses(sets.length),
      values: sets.flatMap(addressBinds),
    });
    return rows.map((row) => {
      const marks = String(row['marks']).split(',').map(Number);
      const found = marks.includes(changing.length)
        ? removals
        : changing.filter((_, at) => marks.includes(at));
      return affectedBy(found, row as unknown as RowAddresses);
    });
  }
}

function affectedBy(visits: readonly Visit[], rows: RowAddresses): AffectedRows {
  const changes = visits.map(({ change }) => change).filter((change) => change !== null);
  return { table: visits[0]!.table, rows, visits, changes };
}

/** The groups that hold the parents of a visit's rows. */
export function parentsOf(visit: Visit, groups: readonly AffectedRows[]): AffectedRows[] {
  return groups.filter(({ visits }) => visit.from !== null && visits.includes(visit.from));
}

function parentsFirst(groups: readonly AffectedRows[]): AffectedRows[] {
  const sorted: AffectedRows[] = [];
  let left = [...groups];
  while (left.length > 0) {
    const others = left;
    const isReady = (group: AffectedRows): boolean =>
      group.visits.every((visit) => parentsOf(visit, others).every((parent) => parent === group));
    const next = left.find(isReady) ?? left[0]!;
    sorted.push(next);
    left = left.filter((group) => group !== next);
  }
  return sorted;
}

function notPermitted({ name, child, parent }: ForeignKey, cause: DatabaseError): AuditError {
  const message = `Writing to "${parent.table}" makes the foreign key "${name}" remove or change rows of "${child.table}", which the database role may not read and lock (${cause.message}), so the write was not made. Grant it select and update on "${child.table}", or use { audit: false }.`;
  return new AuditError('ERR_AUDIT_PERMISSION', message, { cause });
}
