/** A table by name; `schema` null means the connection's search path. */
export interface TableName {
  readonly schema: string | null;
  readonly table: string;
}

/** The name as one text, to find things by: a name holds no NUL. */
export function tableKey({ schema, table }: TableName): string {
  return `${schema ?? ''}\0${table}`;
}

/** The one helper that quotes identifiers. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""').replaceAll('\0', '')}"`;
}

export function quoteTable({ schema, table }: TableName): string {
  return schema === null ? quoteIdentifier(table) : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** A text constant for names known when a statement is compiled; values of a write are always bound. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
