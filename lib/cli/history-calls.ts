import type { Registration } from '../capture/registry';
import { DEFAULT_MASK } from '../core/options';
import { storedAttributes, columnOf } from '../schema/attributes';
import { historyTableName } from '../schema/index-name';
import type { TableName } from '../schema/quote';
import type { SnapshotIndex } from '../schema/registration';
import type { TrackedModel } from '../schema/tracked';
import type { HistoryCall } from './templates/migration';
import type { Model, ModelStatic } from 'sequelize';

function listOrNothing<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function untrackedColumns(model: ModelStatic<Model>, { columns }: TrackedModel): string[] {
  const tracked = new Set(columns.map(({ column }) => column));
  const all = storedAttributes(model).map(([name, { field }]) => columnOf(model, field ?? name));
  return all.filter((column) => !tracked.has(column));
}

/** Beside those whose column has the name of a secret; false where none is masked although one has. */
function masksOf({ columns }: TrackedModel): readonly string[] | false | undefined {
  const masked = columns.filter(({ mask }) => mask !== null);
  const isNamedSo = columns.some(({ column, isKey }) => !isKey && DEFAULT_MASK.test(column));
  if (masked.length === 0) return isNamedSo ? false : undefined;
  return listOrNothing(masked.map(({ column }) => column).filter((column) => !DEFAULT_MASK.test(column)));
}

/** Associations need no foreign key in the database. */
function referencesOf({ columns, keys }: TrackedModel): readonly string[] | undefined {
  const own = columns.filter((column) => column.isReference && column !== keys[0]);
  return listOrNothing(own.map(({ column }) => column));
}

function indexesOf(
  indexes: readonly SnapshotIndex[],
  { columns }: TrackedModel,
): readonly SnapshotIndex[] | undefined {
  const names = new Map(columns.map(({ attribute, column }) => [attribute, column]));
  return listOrNothing(
    indexes.map((index) => ({ ...index, fields: index.fields.map((field) => names.get(field) ?? field) })),
  );
}

function namedBy({ schema, table }: TableName): HistoryCall['table'] {
  if (schema !== null) return { tableName: table, schema };
  return table;
}

/** The call that makes the history table of a registered model from its table alone: a migration must not change with the model. */
export function historyCall(registration: Registration): HistoryCall | null {
  const { options, tracked, table, model } = registration;
  if (!options.snapshots) return null;
  const { schema, table: history } = options.snapshots.table;
  const drop = {
    schema: schema ?? undefined,
    tableName: history === historyTableName(table, schema) ? undefined : history,
  };
  const create = {
    ...drop,
    exclude: listOrNothing(untrackedColumns(model, tracked)),
    mask: masksOf(tracked),
    references: referencesOf(tracked),
    indexes: indexesOf(options.snapshots.indexes, tracked),
  };
  return { table: namedBy(table), create, drop };
}
