import type { Transaction } from 'sequelize';
import type { Registration } from '../capture/registry';
import { OWN_READ } from '../capture/own-read';
import { readTable, type CatalogueColumn, type CatalogueQuery } from '../schema/catalogue';
import { typeOfAttribute } from '../schema/history-table';
import { runtimeOf } from '../schema/sequelize-runtime';
import type { TrackedColumn } from '../schema/tracked';
import type { DecodedKey } from '../statement/past-values';
import type { EncodedColumn } from '../statement/encode';

/** A tracked column with its type in the database. */
export interface TypedColumn extends TrackedColumn, DecodedKey {
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

function typed(column: TrackedColumn, base: CatalogueColumn | undefined): TypedColumn {
  const plainType = base?.plainType ?? typeOfAttribute(column.type);
  const { valueType = 'text', type: sqlType = plainType } = base ?? {};
  return { ...column, plainType, sqlType, valueType, encoded: { type: valueType, mask: column.mask } };
}

/** The tracked columns with their types, kept for a short while. */
export async function typedColumns(
  registration: Registration,
  transaction?: Transaction | null,
): Promise<readonly TypedColumn[]> {
  const { tracked, table } = registration;
  const found = known.get(registration);
  if (found?.tracked === tracked && Date.now() - found.readAt < KEEP_MS) return found.columns;
  const info = await readTable(catalogueOf(registration, transaction), table);
  const columns = tracked.columns.map((column) =>
    typed(
      column,
      info?.columns.find((each) => each.name === column.column),
    ),
  );
  // What isn't there yet may be there the next time.
  if (info) known.set(registration, { tracked, columns, readAt: Date.now() });
  return columns;
}
