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
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly deletedAt: string | null;
  readonly version: string | null;
}

export function managedAttributes(model: ModelStatic<Model>): ManagedAttributes {
  const { _timestampAttributes: stamps, _versionAttribute: version } = internals(model);
  const timestamps = [stamps.createdAt, stamps.updatedAt].filter(
    (name): name is string => typeof name === 'string',
  );
  const deletedAt = model.options.paranoid ? (stamps.deletedAt ?? null) : null;
  return {
    timestamps: new Set(timestamps),
    createdAt: stamps.createdAt ?? null,
    updatedAt: stamps.updatedAt ?? null,
    deletedAt,
    version: version || null,
  };
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
  if (typeof name === 'string') return { schema: null, table: nameInSql(model, name) };
  const { tableName, schema } = name as { tableName: string; schema?: string };
  return { schema: schema ? nameInSql(model, schema) : null, table: nameInSql(model, tableName) };
}

/**
 * A name as PostgreSQL reads it from Sequelize's statements: quoting takes double quotes out, and with
 * `quoteIdentifiers: false` most names stay unquoted, whose capitals become small.
 */
function nameInSql(model: ModelStatic<Model>, name: string): string {
  const quoted = model.sequelize?.getQueryInterface().quoteIdentifier(name) ?? `"${name}"`;
  if (quoted.startsWith('"')) return quoted.replaceAll('"', '');
  return quoted.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const MAX_NAME_BYTES = 63;

/** The column of a field as the database has it: PostgreSQL cuts long names. */
export function columnOf(model: ModelStatic<Model>, field: string): string {
  const name = nameInSql(model, field);
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  // A character that the cut would split falls away whole.
  return new TextDecoder().decode(Buffer.from(name).subarray(0, MAX_NAME_BYTES), { stream: true });
}
