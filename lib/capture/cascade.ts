import type { CatalogueTable, ForeignKey } from '../schema/catalogue';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import { rowsAt } from '../statement/compile';
import type { CascadeGraph } from './cascade-graph';
import { send, type DriverClient } from './sequelize-adapter';

/** Addresses of locked rows: PostgreSQL keeps a locked row where it is until its transaction changes it. */
export interface RowAddresses {
  readonly tableIds: string[];
  readonly positions: string[];
}

/** Rows of one table that a delete removes, or whose foreign keys it empties. */
export interface AffectedRows extends RowAddresses {
  readonly table: CatalogueTable;
  /** Columns that become null; none when the rows are removed. */
  readonly nulled: ReadonlySet<string>;
}

interface AddressRow {
  readonly t: string;
  readonly c: string;
}

function addressesOf(rows: readonly AddressRow[]): RowAddresses {
  return { tableIds: rows.map((row) => row.t), positions: rows.map((row) => row.c) };
}

export function addressBinds({ tableIds, positions }: RowAddresses): [string[], string[]] {
  return [tableIds, positions];
}

const ADDRESS = '"tableoid"::text as "t", "ctid"::text as "c"';
const ROWS = rowsAt('$1::oid[]', '$2::tid[]');

function lockChildren({ child, childColumns, parent, parentColumns, onDelete }: ForeignKey): string {
  const columns = (names: readonly string[]): string => `(${names.map(quoteIdentifier).join(', ')})`;
  const parents = `select ${parentColumns.map(quoteIdentifier).join(', ')} from ${quoteTable(parent)} where ${ROWS}`;
  const lock = onDelete === 'c' ? 'for update' : 'for no key update';
  return `select ${ADDRESS} from ${quoteTable(child)} where ${columns(childColumns)} in (${parents}) ${lock}`;
}

/**
 * Finds and locks, level by level, all rows that a delete removes or changes elsewhere. Each level is a statement of its
 * own: its snapshot is younger than the locks above it, so a child that was committed while they were awaited is seen.
 */
export class CascadeWalk {
  readonly #client: DriverClient;
  readonly #graph: CascadeGraph;
  /** Per row, by table and address: the columns that become null, or 'removed'. */
  readonly #fates = new Map<string, { table: CatalogueTable; row: AddressRow; fate: Set<string> | 'removed' }>();

  constructor(client: DriverClient, graph: CascadeGraph) {
    this.#client = client;
    this.#graph = graph;
  }

  /** Follows every foreign key from rows that are locked already. */
  async follow(keys: readonly ForeignKey[], parents: RowAddresses): Promise<void> {
    for (const key of keys) {
      if (parents.tableIds.length === 0 || !this.#graph.leadsToAudited(key)) continue;
      await this.#followKey(key, parents);
    }
  }

  async #followKey(key: ForeignKey, parents: RowAddresses): Promise<void> {
    const { rows } = await send(this.#client, { text: lockChildren(key), values: addressBinds(parents) });
    const children = rows as unknown as AddressRow[];
    if (key.onDelete !== 'c') {
      for (const row of children) this.#empty(key, row);
      return;
    }
    const fresh = children.filter((row) => this.#remove(key.child, row));
    await this.follow(this.#graph.keysFrom(key.child), addressesOf(fresh));
  }

  #empty(key: ForeignKey, row: AddressRow): void {
    const id = `${row.t} ${row.c}`;
    const known = this.#fates.get(id);
    if (known?.fate === 'removed') return;
    if (known) for (const column of key.childColumns) known.fate.add(column);
    else this.#fates.set(id, { table: key.child, row, fate: new Set(key.childColumns) });
  }

  /** False when the row was found before: cycles and diamonds end here. */
  #remove(table: CatalogueTable, row: AddressRow): boolean {
    const id = `${row.t} ${row.c}`;
    if (this.#fates.get(id)?.fate === 'removed') return false;
    this.#fates.set(id, { table, row, fate: 'removed' });
    return true;
  }

  /** Rows of the deleted table itself are the delete's own. */
  exclude({ tableIds, positions }: RowAddresses): void {
    tableIds.forEach((t, at) => {
      const row = { t, c: positions[at] ?? '' };
      this.#fates.set(`${t} ${row.c}`, { table: OWN, row, fate: 'removed' });
    });
  }

  /** The affected rows, grouped by table and by what happens to them. */
  affected(): AffectedRows[] {
    const groups = new Map<string, { table: CatalogueTable; nulled: Set<string>; rows: AddressRow[] }>();
    for (const { table, row, fate } of this.#fates.values()) {
      if (table === OWN) continue;
      const nulled = fate === 'removed' ? new Set<string>() : fate;
      const id = JSON.stringify([table.schema, table.table, ...[...nulled].toSorted()]);
      const group = groups.get(id) ?? { table, nulled, rows: [] };
      group.rows.push(row);
      groups.set(id, group);
    }
    return [...groups.values()].map(({ rows, ...group }) => ({ ...group, ...addressesOf(rows) }));
  }
}

const OWN: CatalogueTable = { schema: '', table: '', visible: false };
