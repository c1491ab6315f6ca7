import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { OWN_READ } from '../capture/own-read';
import { readTable, serverVersion, type CatalogueColumn, type CatalogueQuery } from '../schema/catalogue';
import { typeOfAttribute } from '../schema/history-table';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { TrackedColumn } from '../schema/tracked';
import type { DecodedKey, TestedColumn } from '../statement/past-values';
import type { EncodedColumn } from '../statement/encode';

/** A tracked column with its type in the database. */
export interface TypedColumn extends TrackedColumn, DecodedKey, TestedColumn {
  /** As entries were written. */
  readonly encoded: EncodedColumn;
}

interface Known {
  readonly tracked: object;
  readonly columns: readonly TypedColumn[];
  readonly readAt: number;
}

/** A migration of another process tells nobody. */
const KEEP_MS = 10_000;

const known = new WeakMap<Registration, Known>();

/** On the caller's connection: a pool may have no second one to give. */
export function catalogueOf(
  registration: Registration,
  transaction: Transaction | null | undefined,
): CatalogueQuery {
  const sequelize = registration.model.sequelize!;
  const { QueryTypes } = runtimeOf(sequelize);
  return async (sql, values) => {
    const options = {
      ...(values.length > 0 ? { bind: values } : {}),
      ...(transaction === undefined ? {} : { transaction }),
      type: QueryTypes.SELECT,
      raw: true,
      [OWN_READ]: true,
      supportsSearchPath: false,
    };
    return { rows: await sequelize.query(sql, options as never) };
  };
}

/** The first with `pg_input_is_valid`. */
const TESTS_INPUT = 160_000;

const testing = new WeakMap<object, boolean>();

/** Asked once: a server doesn't get older. */
async function testsInput(sequelize: object, query: CatalogueQuery): Promise<boolean> {
  const found = testing.get(sequelize);
  if (found !== undefined) return found;
  const answer = (await serverVersion(query)) >= TESTS_INPUT;
  testing.set(sequelize, answer);
  return answer;
}

function typed(column: TrackedColumn, base: CatalogueColumn | undefined, isTestable: boolean): TypedColumn {
  const plainType = base?.plainType ?? typeOfAttribute(column.type);
  const { valueType = 'text', type: sqlType = plainType } = base ?? {};
  const encoded = { type: valueType, mask: column.mask };
  return { ...column, plainType, sqlType, valueType, isTestable, encoded };
}

/** The columns as they were read last, without a query: a transaction that has failed takes none. */
export function lastColumns(registration: Registration): readonly TypedColumn[] {
  return known.get(registration)?.columns ?? [];
}

/** The tracked columns with their types, kept for a short while. */
export async function typedColumns(
  registration: Registration,
  transaction?: Transaction | null,
): Promise<readonly TypedColumn[]> {
  const { tracked, table } = registration;
  const found = known.get(registration);
  if (found?.tracked === tracked && Date.now() - found.readAt < KEEP_MS) return found.columns;
  const query = catalogueOf(registration, transaction);
  const info = await readTable(query, table);
  const isTestable = await testsInput(registration.model.sequelize!, query);
  const columns = tracked.columns.map((column) =>
    typed(
      column,
      info?.columns.find((each) => each.name === column.column),
      isTestable,
    ),
  );
  // What isn't there yet may be there the next time.
  if (info) known.set(registration, { tracked, columns, readAt: Date.now() });
  return columns;
}
