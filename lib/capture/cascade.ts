import type { CatalogueTable, ForeignKey, ReferentialAction } from '../schema/catalogue';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import { rowsAt } from '../statement/consequences';
import type { CascadeGraph } from './cascade-graph';
import { send, type DriverClient } from './sequelize-adapter';

/** Addresses of locked rows: PostgreSQL keeps a locked row where it is until its transaction changes it. */
export interface RowAddresses {
  readonly tableIds: string[];
  readonly positions: string[];
}

/** A foreign key that changes a row, and how: by its parent's deletion or by the parent's new key. */
export interface Change {
  readonly key: ForeignKey;
  readonly action: ReferentialAction;
  /** The columns that SET NULL and SET DEFAULT change. */
  readonly columns: readonly string[];
}

/** Rows of one table that meet the same fate: removed, or changed by the same foreign keys. */
export interface AffectedRows extends RowAddresses {
  readonly table: CatalogueTable;
  /** None when the rows are removed. */
  readonly changes: readonly Change[];
}

interface AddressRow {
  readonly t: string;
  readonly c: string;
}

type Fate = 'removed' | Change[];

export function addressesOf(rows: readonly unknown[]): RowAddresses {
  const list = rows as readonly AddressRow[];
  return { tableIds: list.map((row) => row.t), positions: list.map((row) => row.c) };
}

export function addressBinds({ tableIds, positions }: RowAddresses): [string[], string[]] {
  return [tableIds, positions];
}

export const ADDRESS = '"tableoid"::text as "t", "ctid"::text as "c"';
const ROWS = rowsAt('$1::oid[]', '$2::tid[]');

function lockChildren({ child, childColumns, parent, parentColumns }: ForeignKey, lock: string): string {
  const columns = (names: readonly string[]): string => `(${names.map(quoteIdentifier).join(', ')})`;
  const parents = `select ${parentColumns.map(quoteIdentifier).join(', ')} from ${quoteTable(parent)} where ${ROWS}`;
  return `select ${ADDRESS} from ${quoteTable(child)} where ${columns(childColumns)} in (${parents}) ${lock}`;
}

/**
 * Finds and locks, level by level, all rows that a write removes or changes elsewhere. Each level is a statement of its
 * own: its snapshot is younger than the locks above it, so a child that was committed while they were awaited is seen.
 */
export class CascadeWalk {
  readonly #client: DriverClient;
  readonly #graph: CascadeGraph;
  readonly #own: ReadonlySet<string>;
  readonly #fates = new Map<string, { table: CatalogueTable; row: AddressRow; fate: Fate }>();

  /** @param own rows that the write itself removes or changes */
  constructor(client: DriverClient, graph: CascadeGraph, own: RowAddresses) {
    this.#client = client;
    this.#graph = graph;
    this.#own = new Set(own.tableIds.map((id, at) => `${id} ${own.positions[at]}`));
  }

  /** Follows foreign keys from parents that are locked and about to be deleted. */
  async followDelete(keys: readonly ForeignKey[], parents: RowAddresses): Promise<void> {
    for (const key of keys) {
      if (parents.tableIds.length === 0) return;
      if (key.onDelete === 'c') await this.#removeChildren(key, parents);
      else await this.#changeChildren({ key, action: key.onDelete, columns: key.onDeleteColumns }, parents);
    }
  }

  /** Follows foreign keys from parents that are locked and about to get another key. */
  async followUpdate(keys: readonly ForeignKey[], parents: RowAddresses): Promise<void> {
    for (const key of keys) {
      if (parents.tableIds.length > 0)
        await this.#changeChildren({ key, action: key.onUpdate, columns: key.childColumns }, parents);
    }
  }

  async #removeChildren(key: ForeignKey, parents: RowAddresses): Promise<void> {
    const fresh = (await this.#lock(key, parents, 'for update')).filter((row) =>
      this.#remove(key.child, row),
    );
    const next = this.#graph.keysInto(key.child).filter((each) => this.#graph.leadsOnDelete(each));
    await this.followDelete(next, addressesOf(fresh));
  }

  async #changeChildren(change: Change, parents: RowAddresses): Promise<void> {
    const following = this.#graph.followingUpdate(change.key);
    const lock = following.length > 0 ? 'for update' : 'for no key update';
    const rows = await this.#lock(change.key, parents, lock);
    const fresh = rows.filter((row) => this.#change(change, row));
    await this.followUpdate(following, addressesOf(fresh));
  }

  async #lock(key: ForeignKey, parents: RowAddresses, lock: string): Promise<AddressRow[]> {
    const { rows } = await send(this.#client, {
      text: lockChildren(key, lock),
      values: addressBinds(parents),
    });
    return rows as unknown as AddressRow[];
  }

  /** False when the row was found before: cycles and diamonds end here. */
  #remove(table: CatalogueTable, row: AddressRow): boolean {
    const id = `${row.t} ${row.c}`;
    if (this.#own.has(id) || this.#fates.get(id)?.fate === 'removed') return false;
    this.#fates.set(id, { table, row, fate: 'removed' });
    return true;
  }

  #change(change: Change, row: AddressRow): boolean {
    const id = `${row.t} ${row.c}`;
    const fate = this.#fates.get(id)?.fate ?? [];
    if (this.#own.has(id) || fate === 'removed' || fate.some(({ key }) => key === change.key)) return false;
    this.#fates.set(id, { table: change.key.child, row, fate: [...fate, change] });
    return true;
  }

  /** The affected rows, grouped by table and fate, parents before children. */
  affected(): AffectedRows[] {
    const groups = new Map<
      string,
      { table: CatalogueTable; changes: readonly Change[]; rows: AddressRow[] }
    >();
    for (const { table, row, fate } of this.#fates.values()) {
      const changes = fate === 'removed' ? [] : fate;
      const names = changes.map(({ key, action }) => `${key.name} ${action}`).toSorted();
      const id = JSON.stringify([table.schema, table.table, ...names]);
      const group = groups.get(id) ?? { table, changes, rows: [] };
      group.rows.push(row);
      groups.set(id, group);
    }
    return [...groups.values()].map(({ rows, ...group }) => ({ ...group, ...addressesOf(rows) }));
  }
}
