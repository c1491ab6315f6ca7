import type { CatalogueTable, ForeignKey, ReferentialAction } from '../schema/catalogue';
import { tableKey, type TableName } from '../schema/quote';
import { hasOneText } from '../statement/write-effect';
import type { AuditedTable, Registry } from './registry';

/** Whether the catalogue's table is the one a model or statement names. */
export function isTable(table: CatalogueTable, name: TableName): boolean {
  return table.table === name.table && (name.schema === null ? table.visible : table.schema === name.schema);
}

export function sameTable(a: CatalogueTable, b: CatalogueTable): boolean {
  return a.table === b.table && a.schema === b.schema;
}

/** What is audited of a table as the catalogue names it. */
export function auditedOf(
  registry: Registry,
  { schema, table, visible }: CatalogueTable,
): AuditedTable | null {
  return registry.audited({ schema, table }) ?? (visible ? registry.audited({ schema: null, table }) : null);
}

/** Cascade, set null, set default: what makes the database itself change children. */
function changesChildren(action: ReferentialAction): boolean {
  return action === 'c' || action === 'n' || action === 'd';
}

/** Which tables the database itself changes when rows of another are deleted, or get another key. */
export class CascadeGraph {
  readonly #keys: readonly ForeignKey[];
  readonly #registry: Registry;
  readonly #known = new Map<string, readonly ForeignKey[]>();

  constructor(keys: readonly ForeignKey[], registry: Registry) {
    this.#keys = keys;
    this.#registry = registry;
  }

  /** Foreign keys through which deleting rows of `table` removes or changes audited rows, there or further on. */
  deleting(table: TableName): readonly ForeignKey[] {
    return this.#remembered('delete', table, (key) => isTable(key.parent, table) && this.leadsOnDelete(key));
  }

  /** Foreign keys through which another key of `table` changes audited rows, there or further on. */
  following(table: TableName): readonly ForeignKey[] {
    return this.#remembered('update', table, (key) => isTable(key.parent, table) && this.leadsOnUpdate(key));
  }

  /** Those of them that assigning to `columns` moves. */
  updating(table: TableName, columns: readonly string[]): readonly ForeignKey[] {
    const all = this.following(table);
    return all.length === 0
      ? all
      : all.filter((key) => key.parentColumns.some((column) => columns.includes(column)));
  }

  /**
   * The same for an insert that may update: a column which gets the very value its row was found by stays as it is, where
   * equal values are written alike.
   */
  upserting(
    table: TableName,
    assigned: readonly string[],
    matched: readonly string[],
  ): readonly ForeignKey[] {
    return this.updating(table, assigned).filter((key) =>
      key.parentColumns.some((column, at) => {
        const isKept = matched.includes(column) && hasOneText(key.parentTypes[at] ?? '');
        return assigned.includes(column) && !isKept;
      }),
    );
  }

  #remembered(kind: string, table: TableName, matches: (key: ForeignKey) => boolean): readonly ForeignKey[] {
    const id = `${kind} ${tableKey(table)}`;
    const known = this.#known.get(id) ?? this.#keys.filter(matches);
    this.#known.set(id, known);
    return known;
  }

  keysInto(parent: CatalogueTable): readonly ForeignKey[] {
    return this.#keys.filter((key) => sameTable(key.parent, parent));
  }

  /** Whether deleting the parent changes audited rows through `key`. */
  leadsOnDelete(key: ForeignKey, seen: readonly ForeignKey[] = []): boolean {
    if (!changesChildren(key.onDelete) || seen.includes(key)) return false;
    if (auditedOf(this.#registry, key.child)) return true;
    const next = key.onDelete === 'c' ? this.keysInto(key.child) : this.#keysOn(key);
    const leads = (each: ForeignKey): boolean =>
      key.onDelete === 'c'
        ? this.leadsOnDelete(each, [...seen, key])
        : this.leadsOnUpdate(each, [...seen, key]);
    return next.some(leads);
  }

  /** Whether another key of the parent changes audited rows through `key`. */
  leadsOnUpdate(key: ForeignKey, seen: readonly ForeignKey[] = []): boolean {
    if (!changesChildren(key.onUpdate) || seen.includes(key)) return false;
    if (auditedOf(this.#registry, key.child)) return true;
    return this.#keysOn(key).some((each) => this.leadsOnUpdate(each, [...seen, key]));
  }

  /** Foreign keys that refer to the very columns which `key` may change. */
  #keysOn(key: ForeignKey): readonly ForeignKey[] {
    return this.keysInto(key.child).filter((each) =>
      each.parentColumns.some((column) => key.childColumns.includes(column)),
    );
  }

  /** Those of them that lead on. */
  followingUpdate(key: ForeignKey): readonly ForeignKey[] {
    return this.#keysOn(key).filter((each) => this.leadsOnUpdate(each));
  }
}
