import type { CatalogueTable, ForeignKey } from '../schema/catalogue';
import type { TableName } from '../schema/quote';
import type { AuditedTable, Registry } from './registry';

function isTable(table: CatalogueTable, name: TableName): boolean {
  return table.table === name.table && (name.schema === null ? table.visible : table.schema === name.schema);
}

function sameTable(a: CatalogueTable, b: CatalogueTable): boolean {
  return a.table === b.table && a.schema === b.schema;
}

/** What is audited of a table as the catalogue names it. */
export function auditedOf(registry: Registry, { schema, table, visible }: CatalogueTable): AuditedTable | null {
  return registry.audited({ schema, table }) ?? (visible ? registry.audited({ schema: null, table }) : null);
}

/** Which tables the database itself changes when rows of another are deleted. */
export class CascadeGraph {
  readonly #keys: readonly ForeignKey[];
  readonly #registry: Registry;
  readonly #reaches = new Map<string, boolean>();

  constructor(keys: readonly ForeignKey[], registry: Registry) {
    this.#keys = keys.filter((key) => key.onDelete === 'c' || key.onDelete === 'n' || key.onDelete === 'd');
    this.#registry = registry;
  }

  /** Whether deleting rows of `table` may remove or change audited rows elsewhere. */
  concerns(table: TableName): boolean {
    const id = JSON.stringify([table.schema, table.table]);
    const known = this.#reaches.get(id);
    if (known !== undefined) return known;
    const reaches = this.#keys.some((key) => isTable(key.parent, table) && this.#leadsToAudited(key, []));
    this.#reaches.set(id, reaches);
    return reaches;
  }

  keysInto(table: TableName): readonly ForeignKey[] {
    return this.#keys.filter((key) => isTable(key.parent, table));
  }

  keysFrom(parent: CatalogueTable): readonly ForeignKey[] {
    return this.#keys.filter((key) => sameTable(key.parent, parent));
  }

  /** Whether following `key` changes audited rows, there or further on. */
  leadsToAudited(key: ForeignKey): boolean {
    return this.#leadsToAudited(key, []);
  }

  #leadsToAudited(key: ForeignKey, seen: readonly ForeignKey[]): boolean {
    if (seen.includes(key)) return false;
    if (auditedOf(this.#registry, key.child)) return true;
    if (key.onDelete !== 'c') return false;
    return this.keysFrom(key.child).some((next) => this.#leadsToAudited(next, [...seen, key]));
  }
}
