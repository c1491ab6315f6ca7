import type { Model, ModelAttributeColumnOptions, ModelStatic } from 'sequelize';
import type { TableName } from './quote';

/** Metadata of Sequelize 6 models that has no public type; checked with 6.37. */
interface ModelInternals {
  readonly _virtualAttributes: ReadonlySet<string>;
  readonly _timestampAttributes: { createdAt?: string; updatedAt?: string; deletedAt?: string };
  readonly _versionAttribute?: string | false;
  readonly tableAttributes: Readonly<Record<string, ModelAttributeColumnOptions>>;
}

function internals(model: ModelStatic<Model>): ModelInternals {
  return model as unknown as ModelInternals;
}

export function virtualAttributes(model: ModelStatic<Model>): ReadonlySet<string> {
  return internals(model)._virtualAttributes;
}

/** Names of the attributes that Sequelize manages itself. */
export interface ManagedAttributes {
  readonly timestamps: ReadonlySet<string>;
  readonly deletedAt: string | null;
  readonly version: string | null;
}

export function managedAttributes(model: ModelStatic<Model>): ManagedAttributes {
  const { _timestampAttributes: stamps, _versionAttribute: version } = internals(model);
  const timestamps = [stamps.createdAt, stamps.updatedAt].filter(
    (name): name is string => typeof name === 'string',
  );
  const deletedAt = model.options.paranoid ? (stamps.deletedAt ?? null) : null;
  return { timestamps: new Set(timestamps), deletedAt, version: version || null };
}

/** The object that Sequelize replaces whenever the attributes change: its identity is the version of a model's columns. */
export function columnsIdentity(model: ModelStatic<Model>): object {
  return internals(model).tableAttributes;
}

/** The stored attributes, in definition order, without VIRTUAL ones. */
export function storedAttributes(model: ModelStatic<Model>): [name: string, ModelAttributeColumnOptions][] {
  return Object.entries(internals(model).tableAttributes);
}

/** Schema and table of a model; the schema is null when the search path decides. */
export function tableOf(model: ModelStatic<Model>): TableName {
  const name: unknown = model.getTableName();
  if (typeof name === 'string') return { schema: null, table: unquoted(name) };
  const { tableName, schema } = name as { tableName: string; schema?: string };
  return { schema: schema ? unquoted(schema) : null, table: unquoted(tableName) };
}

/** Sequelize takes double quotes out of the names it quotes. */
function unquoted(name: string): string {
  return name.replaceAll('"', '');
}
