import type { CountOptions, FindOptions } from 'sequelize';
import type { TableName } from '../schema/quote';

/** What is read: rows, or only how many there are. */
export interface PastRead {
  readonly kind: 'rows' | 'count';
  /** As the caller gave them, for choosing the cheapest form; conditions are applied to the relation afterwards. */
  readonly options: FindOptions & CountOptions;
}

/** Rows that are read without failing: in a transaction, which an error would end, and where `rows` failed. They take longer. */
export interface TestedRows {
  readonly rows: (read: PastRead) => string | Promise<string>;
  /** Told when these were read where `rows` failed. */
  readonly note: () => void;
}

/**
 * Where the rows of one model at one point in time come from. A reader of the past puts `with "<table>" as not materialized
 * (<relation>)` before Sequelize's own SELECT, so an implementation gives relations that look like the model's table.
 *
 * What an implementation must keep to:
 * - SQL is one SELECT; values are literals by `schema/quote.ts`, or parameters that `sending` has the values of. Inside it, the name of the model's table still
 *   means the live table.
 * - `rows` has one row per object that was there at the time, soft-deleted ones included (`deletedAt` set; Sequelize's own
 *   clause leaves them out), and under its name every column of the model whose attribute is not in `hidden`, in the type in
 *   which the model reads it. For `kind: 'count'` it may leave out columns that `options` can't ask for.
 * - A choice made from `options` may cost time but never change the answer.
 * - `gaps` has one row per object whose past at the time is unknown: the key's columns under their names, and `"!since"`, the
 *   timestamptz at which its history begins, null when it has none. An object that is in `rows`, or known to be absent, is not
 *   in it.
 */
export interface PastSource {
  /** Attributes that the past doesn't hold: they stay unset, and `where` and `order` on them are refused. */
  readonly hidden: ReadonlySet<string>;
  /** The table that the relations read, and its columns, for errors about what is missing. */
  readonly table: TableName;
  readonly columns: readonly string[];
  /** Column of `rows` with the names (text[]) of the attributes that can't be known of that row; they are then unset. */
  readonly unknownColumn?: string;
  /** Options of the queries over the relations, where these have parameters. */
  readonly sending?: object | undefined;
  readonly rows: (read: PastRead) => string | Promise<string>;
  /** Where `rows` fails when a value was written that its column, which had another type then, doesn't take. */
  readonly tested?: TestedRows;
  readonly gaps: (read: PastRead) => string | Promise<string>;
  /**
   * The past of one object alone, for a query that then needs no condition on the key: its text is the same for every object, and
   * the key a parameter. Null where that can't be.
   */
  readonly ofObject?: (
    key: Readonly<Record<string, string>>,
    options: FindOptions,
  ) => Promise<PastSource | null>;
}
