import type { CatalogueColumn } from '../schema/catalogue';
import type { JsonText } from '../statement/undo-values';
import { changedValues, lastPk, firstPk, type RowSpan } from './undo-rows';
import type { UndoColumn, UndoTable, UndoTables } from './undo-tables';

/** Why an undo is refused. */
export interface UndoObstacle {
  readonly code: 'ERR_AUDIT_CONFLICT' | 'ERR_AUDIT_NOT_RESTORABLE';
  /** Null where only the database knows which object it is. */
  readonly model: string | null;
  readonly objectPk: string | null;
  readonly attribute?: string;
  readonly why: string;
  /** The SQLSTATE of a refusal by the database, or on its behalf; `why` then names tables and constraints. */
  readonly sqlState?: string;
}

/** Why the set can't be undone as it stands; PostgreSQL itself would not have said so. */
export class UndoRefused extends Error {
  readonly obstacles: readonly UndoObstacle[];
  /** Whether another order may help. */
  readonly isOrder: boolean;

  constructor(obstacles: readonly UndoObstacle[], isOrder: boolean) {
    super(obstacles.map(({ why }) => why).join('; '));
    this.obstacles = obstacles;
    this.isOrder = isOrder;
  }
}

/** What an undo leaves as it is. */
export interface UndoSkip {
  readonly model: string;
  readonly objectPk: string;
  readonly attribute: string;
  readonly why: string;
}

/** What is done to one row so that it is again what it was. */
export interface RowUndo {
  readonly action: 'create' | 'update' | 'delete';
  readonly table: UndoTable;
  readonly span: RowSpan;
  /** The key by which the row is found, or under which it comes back. */
  readonly pk: string;
  /** The columns that are written, with their values. */
  readonly values: readonly (readonly [UndoColumn, JsonText])[];
  readonly isMove: boolean;
}

/** What is wrong with putting a value back into a column, or null. */
function unrestorable(name: string, column: UndoColumn | undefined, json: JsonText): string | null {
  if (!column) return `"${name}" is no tracked column any more`;
  if (json === null) return null;
  if (column.mask) return `"${name}" is masked, so its value was not recorded`;
  const holdsDigests = column.column.valueType.startsWith('bytea');
  if (holdsDigests && json !== '[]' && !column.column.generated) {
    return `"${name}" is binary, of which only a digest was recorded`;
  }
  return null;
}

/** Makes plans from spans and gathers what stands against them. */
export class UndoPlanner {
  readonly #tables: UndoTables;
  readonly obstacles: UndoObstacle[] = [];
  readonly skipped: UndoSkip[] = [];

  constructor(tables: UndoTables) {
    this.#tables = tables;
  }

  /** What undoes the span; null when nothing is to be done. */
  plan(span: RowSpan): RowUndo | null {
    const table = this.#tables.get(span.model)!;
    if (span.existedBefore) return span.existsNow ? this.#update(table, span) : this.#create(table, span);
    const none = { values: [], isMove: false };
    return span.existsNow ? { action: 'delete', table, span, pk: lastPk(span), ...none } : null;
  }

  #update(table: UndoTable, span: RowSpan): RowUndo | null {
    const values = changedValues(span).flatMap(([name, { before }]) =>
      this.#value(table, span, name, before),
    );
    if (span.isReplaced) this.#checkReplaced(table, span);
    const isMove = span.pks.length > 1 && firstPk(span) !== lastPk(span);
    if (values.length === 0) return null;
    return { action: 'update', table, span, pk: lastPk(span), values, isMove };
  }

  /** Another row has the key now: masks look alike, whatever they hide. */
  #checkReplaced({ tracked }: UndoTable, span: RowSpan): void {
    for (const [name, { before, after }] of span.values) {
      const isHidden = tracked.get(name)?.mask && before === after && before !== null;
      if (isHidden) this.#refuse(span, `"${name}" is masked, so its value was not recorded`, name);
    }
  }

  #create(table: UndoTable, span: RowSpan): RowUndo {
    const named = [...span.values].flatMap(([name, { before }]) =>
      this.#value(table, span, name, before, 'create'),
    );
    const names = new Set(span.values.keys());
    // A create leaves out what is null: it must not get its default now.
    const absent = [...table.tracked.values()]
      .filter(({ attribute, column }) => !names.has(attribute) && !column.notNull && !column.generated)
      .map((column) => [column, null] as const);
    for (const column of table.untracked) this.#leaveOut(span, column);
    const values = [...named, ...absent];
    return { action: 'create', table, span, pk: firstPk(span), values, isMove: false };
  }

  #leaveOut(span: RowSpan, { name, notNull, defaultSql, identity }: CatalogueColumn): void {
    if (notNull && defaultSql === null && identity === null) {
      this.#refuse(span, `"${name}" is not recorded, and the column takes no null and has no default`, name);
    } else {
      const why = defaultSql === null ? 'it is not recorded: null' : 'it is not recorded: its default';
      this.skipped.push({ model: span.model, objectPk: firstPk(span), attribute: name, why });
    }
  }

  #value(
    table: UndoTable,
    span: RowSpan,
    name: string,
    json: JsonText,
    action: 'create' | 'update' = 'update',
  ): (readonly [UndoColumn, JsonText])[] {
    const column = table.tracked.get(name);
    const isKey = column !== undefined && table.keys.includes(column.column);
    if (this.#isManaged(table, name) || column?.column.generated === true) return [];
    // A column that is gone has nothing to give back to a row that comes back without it.
    const isNothing = action === 'create' && json === null;
    const why = isKey || isNothing ? null : unrestorable(name, column, json);
    if (why !== null) this.#refuse(span, why, name);
    if (!column || why !== null) return [];
    if (json !== null || !column.column.notNull) return [[column, json]];
    // In a document column that takes no SQL null, null can only have been JSON's own.
    if (column.column.valueType.startsWith('json')) return [[column, 'null']];
    return action === 'create' ? [] : [[column, json]];
  }

  /** Timestamps and versions that were tracked by name are Sequelize's own all the same: an undo is a write. */
  #isManaged({ tracked, registration }: UndoTable, name: string): boolean {
    return !tracked.has(name) && registration.tracked.columns.some(({ attribute }) => attribute === name);
  }

  #refuse(span: RowSpan, why: string, attribute: string): void {
    const { model } = span;
    this.obstacles.push({ code: 'ERR_AUDIT_NOT_RESTORABLE', model, objectPk: lastPk(span), attribute, why });
  }
}
