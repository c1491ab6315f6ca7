import type { Registration } from '../capture/registry';
import { AuditError, isAuditError } from '../core/errors';
import { sqlState } from '../schema/sql-state';

/** What keeps an object from being put back. */
export interface Obstacle {
  readonly attribute?: string;
  readonly why: string;
  /** The SQLSTATE of a refusal by the database, whose own words `why` then is. */
  readonly sqlState?: string;
}

/** Classes of SQLSTATE that say that a row may not be so: data that doesn't fit its type, violated constraints. */
const REFUSING_CLASSES = ['22', '23'];
/** A type that has changed since, a column that the database computes, and what a trigger raises. */
const REFUSING_STATES = ['42804', '428C9', 'P0001'];
/** Sequelize's validators, and a validator of the application that failed. */
const VALIDATION = ['SequelizeValidationError', 'AggregateError'];

/** What Sequelize's and pg's errors tell of a refused row. */
interface RefusedError extends Error {
  readonly errors?: readonly { readonly path?: string | null; readonly message: string }[];
  readonly parent?: RefusedError;
  readonly original?: RefusedError;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
}

function isRefusal(error: Error): boolean {
  const state = sqlState(error) ?? '';
  if (REFUSING_STATES.includes(state) || REFUSING_CLASSES.includes(state.slice(0, 2))) return true;
  return VALIDATION.includes(error.name) || /^Sequelize\w*ConstraintError$/.test(error.name);
}

/** The columns that PostgreSQL names: one that must not be null, or those of a key. Values are left where they are. */
function columnsOf({ column, detail = '' }: RefusedError): string[] {
  if (column !== undefined) return [column];
  const names = /\(([^()]+)\)=\(/.exec(detail)?.[1] ?? '';
  return names.split(', ').map((name) => name.replaceAll('"', ''));
}

function attributeOf({ tracked, model }: Registration, name: string | null | undefined): string | undefined {
  if (name === null || name === undefined) return undefined;
  if (name in model.getAttributes()) return name;
  return tracked.columns.find((each) => each.column === name)?.attribute;
}

export function obstacle(attribute: string | undefined, why: string): Obstacle {
  return attribute === undefined ? { why } : { attribute, why };
}

function databaseObstacles(registration: Registration, error: RefusedError): Obstacle[] {
  const isOwn = error.table === undefined || error.table === registration.table.table;
  const attributes = columnsOf(error).map((name) => (isOwn ? attributeOf(registration, name) : undefined));
  const named = attributes.filter((name) => name !== undefined);
  const state = sqlState(error);
  const refused = (name?: string): Obstacle => ({
    ...obstacle(name, error.message),
    ...(state !== null && { sqlState: state }),
  });
  return named.length === 0 ? [refused()] : named.map(refused);
}

/**
 * Why an attempt to put an object back was refused: by validators, constraints or types. Null when the error is another, which
 * nobody can answer by deciding differently.
 */
export function obstaclesIn(registration: Registration, error: unknown): Obstacle[] | null {
  if (!(error instanceof Error) || isAuditError(error) || !isRefusal(error)) return null;
  const { errors = [], parent, original } = error as RefusedError;
  const raised = parent ?? original;
  if (raised instanceof Error) return databaseObstacles(registration, raised);
  if (errors.length === 0) return [obstacle(undefined, error.message)];
  return errors.map((item) => obstacle(attributeOf(registration, item.path), item.message));
}

function text({ attribute, why }: Obstacle): string {
  return attribute === undefined ? why : `${attribute}: ${why}`;
}

/** The coded error of an object that can't be put back. */
export function conflict(where: string, obstacles: readonly Obstacle[], cause?: unknown): AuditError {
  const message = `${where}: nothing was changed, because ${obstacles.map(text).join('; ')}.`;
  return new AuditError('ERR_AUDIT_CONFLICT', message, cause === undefined ? {} : { cause });
}
