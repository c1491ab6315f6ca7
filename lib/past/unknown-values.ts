/** A row that was found, or the values of an instance. */
type Values = Record<string, unknown>;

interface SelectOptions {
  readonly group?: unknown;
  readonly attributes?: readonly unknown[];
  /** By the names that an instance is built with; Sequelize 6.37 keeps them here, where columns have other names. */
  readonly originalAttributes?: readonly unknown[];
}

/** Whether an attribute of a SELECT is a column, and no expression, beside which no further column may be asked for. */
function isColumn(attribute: unknown): boolean {
  const expression: unknown = Array.isArray(attribute) ? (attribute as unknown[])[0] : attribute;
  return typeof expression === 'string' && !expression.includes('(');
}

/** Asks for the names of what can't be known of each row beside its attributes. */
export function withUnknown<O extends SelectOptions>(options: O, column: string): O {
  const { attributes } = options;
  if (!attributes?.every(isColumn) || options.group !== undefined) return options;
  const { originalAttributes: built } = options;
  return {
    ...options,
    attributes: [...attributes, column],
    ...(built ? { originalAttributes: [...built, column] } : {}),
  };
}

/** Of an instance also what `changed()` compares with. */
function valuesOf(found: object): Values[] {
  if (!('dataValues' in found)) return [found as Values];
  return [
    found.dataValues,
    (found as { _previousDataValues?: unknown })._previousDataValues ?? {},
  ] as Values[];
}

function unset(values: Values, column: string): void {
  const unknown = values[column];
  delete values[column];
  if (Array.isArray(unknown)) for (const name of unknown) delete values[name as string];
}

/** Unsets what can't be known of what was found. */
export function unsetUnknown(found: unknown, column: string): void {
  for (const each of Array.isArray(found) ? (found as unknown[]) : [found]) {
    if (typeof each !== 'object' || each === null) continue;
    for (const values of valuesOf(each)) unset(values, column);
  }
}
