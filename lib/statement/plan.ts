import type { CapturedAction } from '../core/types';
import type { TableName } from '../schema/quote';
import type { EncodedColumn } from './encode';

/** One tracked column as statements see it: the model's choice joined with the column's type in the database. */
export interface PlannedColumn extends EncodedColumn {
  /** Position that numbers the image's columns: PostgreSQL cuts longer names at 63 bytes. */
  readonly index: number;
  readonly attribute: string;
  readonly column: string;
  readonly isKey: boolean;
  readonly inDelta: boolean;
  /** Whether the history table has the column. */
  readonly inVersion: boolean;
  /** Whether a tracked association reads the column, which a through table need not track itself. */
  readonly isLink: boolean;
}

/** A tracked belongsToMany as rows of its through table show it. */
export interface LinkPlan {
  /** The association's name, under which links stand in `changes`. */
  readonly association: string;
  readonly owner: ModelPlan;
  /** Column of the owner that the through table refers to. */
  readonly ownerColumn: string;
  readonly target: ModelPlan;
  readonly targetColumn: string;
  /** The two columns of the through table. */
  readonly ownerLink: PlannedColumn;
  readonly targetLink: PlannedColumn;
  /** Rows of the through table that belong to this association only: column and the text of its value. */
  readonly scope: readonly { readonly column: PlannedColumn; readonly value: string }[];
}

/** All that is known of a registered model before any of its writes is compiled. */
export interface ModelPlan {
  readonly name: string;
  readonly table: TableName;
  /** False for a through table that is not registered itself: its rows only tell of links. */
  readonly isLogged: boolean;
  readonly columns: readonly PlannedColumn[];
  readonly keys: readonly PlannedColumn[];
  readonly deletedAt: PlannedColumn | null;
  readonly repr: string | null;
  readonly actions: ReadonlySet<CapturedAction>;
  readonly history: TableName | null;
  /** Associations whose links are rows of this table. */
  readonly links: readonly LinkPlan[];
  /** False for a table that holds the model's key twice, or rows without one: its rows can't be paired by the key. */
  readonly keyIsUnique: boolean;
  /** Tracked columns that the table does not have (yet). */
  readonly lacking: readonly string[];
  /** False when the table or its history lacks a tracked column. */
  readonly isComplete: boolean;
  /** Whether it is a table, partitioned or not, of this server: not a view, not a foreign one. */
  readonly isTable: boolean;
  /** Whether rows can be locked before they are written. */
  readonly isLockable: boolean;
  /** Whether the database itself may change keys: by a trigger before updates, or because it computes them. */
  readonly keyMayChange: boolean;
  /** Whether the database itself may change columns that an update does not assign to: by a trigger, or because it computes them. */
  readonly rewritesRows: boolean;
  /** The type of the table's rows as SQL. */
  readonly rowType: string;
  /** Every column of the table, for RETURNING *. */
  readonly tableColumns: readonly string[];
}

/** Where an actor's label is read when only the id is known. */
export interface ActorRow {
  readonly table: TableName;
  readonly keyColumn: string;
  /** What the id is compared as; as a text it can be compared with a key of any type. */
  readonly keyKind: 'integer' | 'uuid' | 'text';
  readonly labelColumn: string;
}

/** What statements need to know of the server and the log. */
export interface StatementSettings {
  /** PostgreSQL 18's RETURNING old/new. */
  readonly returningOldNew: boolean;
  readonly log: TableName;
  /** Sequence of the log's identity column, as PostgreSQL names it. */
  readonly logSequence: string;
  readonly actorRow: ActorRow | null;
}

/** A row before and after the write, as columns of a common table expression. */
export function oldImage({ index }: PlannedColumn): string {
  return `"!o${index}"`;
}

export function newImage({ index }: PlannedColumn): string {
  return `"!n${index}"`;
}
