import { Model, Sequelize, Transaction } from 'sequelize';

const UUID = /\b(?!1{8}-)[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[\da-f]{4}-[\da-f]{12}\b/gi;
/** The schema of the temporary function of `findOrCreate` has a number of the connection. */
const TEMPORARY_SCHEMA = /\bpg_temp_\d+\b/g;
const FUNCTION_TAG = /\$func_[\da-f]{32}\$/g;
const STACK_LINE = /\n\s+at .*/g;
const MAX_DEPTH = 12;

interface InstanceParts {
  readonly dataValues: object;
  readonly _previousDataValues: object;
  readonly _options: object;
}

type Visit = (value: unknown) => unknown;

/** What the application can see of a value, as plain data that two runs can be compared by. */
export function normalised(value: unknown): unknown {
  return visit(value, []);
}

/** Keys made by chance (UUIDs) are all the same; those that begin with `11111111` stand for themselves. */
export function withoutChance(text: string): string {
  return text
    .replaceAll(UUID, '<uuid>')
    .replaceAll(TEMPORARY_SCHEMA, 'pg_temp')
    .replaceAll(STACK_LINE, '')
    .replaceAll(FUNCTION_TAG, '$func$');
}

function visit(value: unknown, path: readonly object[]): unknown {
  if (typeof value === 'string') return withoutChance(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return `<${typeof value} ${String(value)}>`;
  if (typeof value === 'function') return nameOfFunction(value);
  if (typeof value !== 'object' || value === null) return value;
  if (path.includes(value)) return '<circular>';
  if (path.length >= MAX_DEPTH) return '<deep>';
  return visitObject(value, (inner) => visit(inner, [...path, value]));
}

function nameOfFunction(value: { readonly name: string; readonly prototype?: unknown }): string {
  return value.prototype instanceof Model ? `<model ${value.name}>` : '<function>';
}

function visitObject(value: object, inner: Visit): unknown {
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Date)
    return `<date ${Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()}>`;
  if (Buffer.isBuffer(value)) return `<buffer ${value.toString('hex')}>`;
  if (value instanceof Model) return visitInstance(value, inner);
  if (value instanceof Error) return visitError(value, inner);
  if (value instanceof Sequelize) return '<sequelize>';
  if (value instanceof Transaction)
    return `<transaction ${String((value as { finished?: string }).finished)}>`;
  if (value.constructor?.name === 'Result') return visitResult(value as DriverResult, inner);
  if ('associationType' in value) return `<association ${String((value as { as?: string }).as)}>`;
  if (value instanceof Map || value instanceof Set)
    return { '<class>': value.constructor.name, items: inner([...value]) };
  return visitRecord(value, inner);
}

interface DriverResult {
  readonly command: string;
  readonly rowCount: number;
  readonly oid: number | null;
  readonly rows: readonly unknown[];
  readonly fields: readonly {
    readonly name: string;
    readonly dataTypeID: number;
    readonly dataTypeModifier: number;
  }[];
}

/** What pg tells of a statement; which table a column comes from is not told of an audited write. */
function visitResult({ command, rowCount, oid, rows, fields }: DriverResult, inner: Visit): unknown {
  const columns = fields.map(({ name, dataTypeID, dataTypeModifier }) => [
    name,
    dataTypeID,
    dataTypeModifier,
  ]);
  return { command, rowCount, oid, rows: inner(rows), columns };
}

function visitInstance(instance: Model, inner: Visit): unknown {
  const { dataValues, _previousDataValues, _options } = instance as unknown as InstanceParts;
  return {
    '<instance>': instance.constructor.name,
    dataValues: inner({ ...dataValues }),
    previous: inner({ ..._previousDataValues }),
    changed: instance.changed(),
    isNewRecord: instance.isNewRecord,
    options: Object.keys(_options).toSorted(),
  };
}

/** The temporary function of `findOrCreate`, which an audited insert does without. */
const OF_TEMPORARY_FUNCTION = /pg_temp\S*testfunc/;

/** The length of a message on the wire, the place of a fault in the text that the server was sent, and in its own source. */
const UNSEEN_OF_ERRORS = new Set(['stack', 'length', 'position', 'file', 'line', 'routine']);

function visitError(error: Error, inner: Visit): unknown {
  const names = Object.getOwnPropertyNames(error).filter((name) => !UNSEEN_OF_ERRORS.has(name));
  const fields = names.map((name) => [name, inner((error as unknown as Record<string, unknown>)[name])]);
  const { where } = error as { where?: unknown };
  return {
    '<error>': error.constructor.name,
    ...Object.fromEntries(fields),
    ...(OF_TEMPORARY_FUNCTION.test(String(where)) ? { where: undefined } : {}),
    name: error.name,
    message: withoutChance(error.message),
    isTracedToCaller: String(error.stack).includes('test/equivalence/'),
  };
}

/** The mark that the library lays into the options of a bulk call; hooks can see it, nothing depends on it. */
const OWN_OPTION = 'auditMark';

/** Of an include, which names models, parents and includes over and over: whose it is, and what is set. */
function visitInclude(include: object): unknown {
  return {
    '<include>': (include as { as?: string }).as,
    keys: Object.keys(include).filter((key) => key !== OWN_OPTION),
  };
}

function visitRecord(value: object, inner: Visit): unknown {
  if ('association' in value && 'model' in value) return visitInclude(value);
  const keys = Reflect.ownKeys(value).filter((key) => key !== OWN_OPTION);
  const fields = keys.map((key) => [String(key), inner((value as Record<string | symbol, unknown>)[key])]);
  const name = value.constructor?.name;
  const record = Object.fromEntries(fields) as Record<string, unknown>;
  return name === undefined || name === 'Object' ? record : { '<class>': name, ...record };
}
