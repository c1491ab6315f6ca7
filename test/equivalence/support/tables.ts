import type { TestDatabase } from '../../support/database';
import { withoutChance } from './normalise';

interface TableRow {
  readonly schema: string;
  readonly name: string;
}

/** What is in the database, and who still works on it. */
export interface TablesState {
  /** All rows of the application's tables as PostgreSQL's text. */
  readonly rows: readonly string[];
  readonly sequences: readonly string[];
  /** Entries of the log. */
  readonly entries: number;
  /** Sessions of this file that have a transaction open. */
  readonly openTransactions: number;
}

const AUDIT_TABLE = /^audit_log_entries$|_history$/;

/** The tables of one test file, read and emptied past Sequelize and the library. */
export class Tables {
  readonly #database: TestDatabase;
  readonly #schemas: readonly string[];
  #tables: readonly TableRow[] = [];
  #sequences: readonly TableRow[] = [];

  constructor(database: TestDatabase, otherSchema: string) {
    this.#database = database;
    this.#schemas = [database.schema, otherSchema];
  }

  async find(): Promise<void> {
    const relations = `select n.nspname as "schema", c.relname as "name" from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any ($1) and c.relkind = any ($2) order by 1, 2`;
    this.#tables = await this.#database.rows<TableRow>(relations, [this.#schemas, ['r', 'p']]);
    const sequences = await this.#database.rows<TableRow>(relations, [this.#schemas, ['S']]);
    this.#sequences = sequences.filter(({ name }) => !/^audit_log|_history_id_seq$/.test(name));
  }

  /** Every table empty, every sequence at its start: as if just created, so that rows come to lie in the same order. */
  async empty(): Promise<void> {
    const own = this.#tables.filter((table) => !isAudit(table)).map(quoted);
    const deletes = this.#tables.filter(isAudit).map((table) => `delete from ${quoted(table)};`);
    const restarts = this.#sequences.map((each) => `select setval('${quoted(each)}', 1, false);`);
    await this.#database.admin.query(
      `truncate ${own.join(', ')}; ${deletes.join(' ')} ${restarts.join(' ')}`,
    );
  }

  async state(): Promise<TablesState> {
    const tables = this.#tables.filter((table) => !isAudit(table));
    const rows = tables.map((table) => `select '${table.name}' || t::text as "row" from ${quoted(table)} t`);
    const sequences = this.#sequences.map(
      (each) => `select '${each.name} ' || last_value || is_called from ${quoted(each)}`,
    );
    const [state] = await this.#database.rows<TablesState>(
      `select array(${rows.join(' union all ')} order by 1) as "rows",
        array(${sequences.join(' union all ') || `select ''`} order by 1) as "sequences",
        (select count(*)::int from audit_log_entries) as "entries",
        (select count(*)::int from pg_stat_activity where application_name = $1
          and datname = current_database() and state like 'idle in transaction%') as "openTransactions"`,
      [this.#database.schema],
    );
    if (!state) throw new Error('The state of the tables could not be read.');
    return { ...state, rows: state.rows.map(withoutChance).toSorted() };
  }
}

function isAudit({ name }: TableRow): boolean {
  return AUDIT_TABLE.test(name);
}

function quoted({ schema, name }: TableRow): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
