/**
 * Terminology: an *entry* is a row of the log and says what changed; a *version* or *snapshot* is a full copy of a row after a
 * change; an *actor* is who did it; a *change* is `[old, new]` of one attribute; an *action* is what happened to the row.
 */

/** A JSON value as PostgreSQL's `jsonb` holds it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Actions that capture writes itself. */
export type CapturedAction = 'create' | 'update' | 'delete';

/** `create`, `update`, `delete`, `access`, `prune`, or a word of the application's own (`auditLog.log`). */
export type AuditAction = CapturedAction | 'access' | 'prune' | (string & {});

/** Old and new value of one attribute. */
export type ValueChange = [old: JsonValue, new: JsonValue];

/** One end of a link: the target's key and its text at that time. */
export interface LinkedObject {
  pk: string;
  repr: string;
}

/** Links of one belongsToMany association that were added or removed by one statement. */
export interface LinkChange {
  type: 'm2m';
  added: LinkedObject[];
  removed: LinkedObject[];
}

/** What an entry changed: attribute names with `[old, new]`, association names with the links added and removed. */
export type Changes = Record<string, ValueChange | LinkChange>;

/** Columns of the log as a LogEntry shows them. */
export interface LogEntryAttributes {
  /** bigint as string; of two entries of one object the later change has the higher id. */
  id: string;
  /** The database's clock at the change. */
  timestamp: Date;
  action: AuditAction;
  model: string;
  /** The key as text; a composite key is a JSON array of texts in primary-key order. */
  objectPk: string | null;
  objectRepr: string | null;
  changes: Changes | null;
  actorId: string | null;
  actorLabel: string | null;
  actorType: string | null;
  remoteAddr: string | null;
  remotePort: number | null;
  correlationId: string | null;
  /** Method and path without query string, at most 2,048 characters. */
  request: string | null;
  /** PostgreSQL's transaction id as string. */
  transactionId: string | null;
  reason: string | null;
  additionalData: { [key: string]: JsonValue } | null;
}

/** An actor by parts. */
export interface ActorObject {
  readonly id: unknown;
  readonly label?: string | null;
  readonly type?: string | null;
}

/** Who did it: nothing, an id, `{ id, label?, type? }`, any object with an `id`, or a Sequelize instance. */
export type ActorInput = null | undefined | string | number | bigint | ActorObject | object;

/** Everything an entry takes from the context, ready to bind: sanitised and bounded. */
export interface WriteContext {
  readonly actorId: string | null;
  readonly actorLabel: string | null;
  readonly actorType: string | null;
  /** True when the label is to be read from the row of `actor.model` with the key `actorId`, in the same statement. */
  readonly labelFromRow: boolean;
  readonly remoteAddr: string | null;
  readonly remotePort: number | null;
  readonly correlationId: string | null;
  readonly request: string | null;
  readonly reason: string | null;
  /** JSON text. */
  readonly additionalData: string | null;
}
