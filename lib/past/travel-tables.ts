import type { Registration, Registry } from '../capture/registry';
import { tableKey, type TableName } from '../schema/quote';

const MAX_NAME_BYTES = 63;

/** A name as PostgreSQL keeps it: cut where it is too long. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return new TextDecoder().decode(Buffer.from(name).subarray(0, MAX_NAME_BYTES), { stream: true });
}

function cutTable({ schema, table }: TableName): TableName {
  return { schema: schema === null ? null : cut(schema), table: cut(table) };
}

/** The registered models by their tables, as statements name them. */
export class RegisteredTables {
  readonly #registry: Registry;
  #generation = -1;
  #byKey = new Map<string, Registration>();
  #byName = new Map<string, Registration[]>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  find(table: TableName): Registration | null {
    this.#follow();
    return this.#byKey.get(tableKey(cutTable(table))) ?? null;
  }

  /** Models of a table that may be this one: one of the two names leaves the schema to the search path. */
  namesakes(table: TableName): readonly Registration[] {
    this.#follow();
    const named = this.#byName.get(cut(table.table)) ?? [];
    return named.filter((each) => (each.table.schema === null) !== (table.schema === null));
  }

  /** The models without a schema whose tables are among the names. */
  *bare(names: Iterable<string>): Generator<Registration> {
    this.#follow();
    for (const name of names) {
      const found = this.#byKey.get(tableKey({ schema: null, table: cut(name) }));
      if (found) yield found;
    }
  }

  #follow(): void {
    const { generation, registrations } = this.#registry;
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#byKey = new Map(registrations.map((each) => [tableKey(cutTable(each.table)), each]));
    this.#byName = new Map();
    for (const each of registrations) {
      const name = cut(each.table.table);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), each]);
    }
  }
}
