import type { ForeignKey } from '../schema/catalogue';
import { parentsFirst } from '../schema/references';
import { tableKey } from '../schema/quote';
import { inputText } from '../statement/undo-values';
import { countChildren, deleteKeyed, insertRows, lockKeyed, updateRows } from '../statement/undo-sql';
import { runLinks, type LinkUndo } from './undo-links';
import { UndoRefused, type RowUndo, type UndoObstacle } from './undo-plan';
import { groupBy } from './group-by';
import { firstPk, objectKey } from './undo-rows';
import type { UndoSession } from './undo-session';
import { keyBinds, keyParts, type UndoColumn, type UndoTable } from './undo-tables';

/** What is undone together. */
export interface UndoSet {
  readonly rows: readonly RowUndo[];
  readonly links: readonly LinkUndo[];
}

/** Rows that one UPDATE takes: each looks its new values up among all of them. */
const MAX_UPDATED = 400;

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** Rows that one statement can write: of one table, with values for the same columns. */
function byShape(undos: readonly RowUndo[]): RowUndo[][] {
  const groups = groupBy(undos, ({ table, values }) => {
    const names = values.map(([{ attribute }]) => attribute);
    return JSON.stringify([table.model, ...names.toSorted()]);
  });
  return [...groups.values()];
}

function isAhead(column: UndoColumn, ahead: ReadonlySet<string>): boolean {
  return ahead.has(column.column.name) && !column.column.notNull;
}

function withoutValues(undo: RowUndo, ahead: ReadonlySet<string>): RowUndo {
  return {
    ...undo,
    values: undo.values.map(([each, json]) => [each, isAhead(each, ahead) ? null : json] as const),
  };
}

/** What is left to be written of a row that was created without some values. */
function onlyValues(undo: RowUndo, ahead: ReadonlySet<string>): RowUndo {
  const values = undo.values.filter(([each, json]) => json !== null && isAhead(each, ahead));
  return { ...undo, action: 'update', values };
}

/** One array per column. */
function valueBinds(undos: readonly RowUndo[], columns: readonly UndoColumn[]): (string | null)[][] {
  const rows = undos.map(({ table, span, values }) => {
    const key = keyParts(table, firstPk(span));
    const texts = new Map(
      values
        .map(([each, json]) => [each, each.column, json] as const)
        .map(([each, column, json]) => {
          const part = table.keys.indexOf(column);
          return [each, part < 0 ? inputText(json, column) : (key[part] ?? null)];
        }),
    );
    return columns.map((column) => texts.get(column) ?? null);
  });
  return columns.map((_, at) => rows.map((row) => row[at] ?? null));
}

/** Writes sets of rows, each kind with as few statements as there are tables and shapes. */
export class UndoWriter {
  readonly #session: UndoSession;
  readonly #references: readonly ForeignKey[];
  readonly #createdAt: ReadonlyMap<string, string>;
  /** All that the undo will delete sooner or later: those rows are nobody's later work. */
  readonly #doomed: readonly RowUndo[];

  constructor(
    session: UndoSession,
    references: readonly ForeignKey[],
    createdAt: ReadonlyMap<string, string>,
    doomed: readonly RowUndo[],
  ) {
    this.#session = session;
    this.#references = references;
    this.#createdAt = createdAt;
    this.#doomed = doomed;
  }

  /** Keys move first, since children follow them; then parents come before children, and go after them. */
  async run({ rows, links }: UndoSet): Promise<void> {
    const updates = rows.filter(({ action }) => action === 'update');
    const creates = rows.filter(({ action }) => action === 'create');
    const deletes = rows.filter(({ action }) => action === 'delete');
    for (const group of this.#byTable(updates.filter(({ isMove }) => isMove))) await this.#move(group);
    const postponed = await this.#createAll(this.#byTable(creates));
    await this.#update([...postponed, ...updates.filter(({ isMove }) => !isMove)]);
    await runLinks(this.#session, links, 'link');
    await runLinks(this.#session, links, 'unlink');
    for (const group of this.#byTable(deletes).toReversed()) await this.#delete(group);
  }

  /** Groups by table, parents first. */
  #byTable(undos: readonly RowUndo[]): RowUndo[][] {
    const groups = groupBy(undos, ({ table }) => tableKey(table.resolved));
    const tables = [...groups.values()].map((group) => group[0]!.table.resolved);
    return parentsFirst(tables, this.#references).map((table) => groups.get(tableKey(table))!);
  }

  /** Tables that refer to each other: those that come first get their references when all rows are there. */
  async #createAll(groups: readonly RowUndo[][]): Promise<RowUndo[]> {
    const postponed: RowUndo[] = [];
    for (const [at, group] of groups.entries()) {
      const later = groups.slice(at + 1).map(([first]) => tableKey(first!.table.resolved));
      const ahead = this.#columnsInto(group[0]!.table, new Set(later));
      await this.#create(group.map((undo) => withoutValues(undo, ahead)));
      postponed.push(
        ...group.map((undo) => onlyValues(undo, ahead)).filter(({ values }) => values.length > 0),
      );
    }
    return postponed;
  }

  /** Columns of a table that refer to one of these, and may be null until then. */
  #columnsInto(table: UndoTable, parents: ReadonlySet<string>): ReadonlySet<string> {
    const own = tableKey(table.resolved);
    const into = this.#references.filter(
      ({ child, parent }) => tableKey(child) === own && parents.has(tableKey(parent)),
    );
    return new Set(into.flatMap(({ childColumns }) => childColumns));
  }

  /** A key may have followed that of a parent already. */
  async #move(undos: readonly RowUndo[]): Promise<void> {
    const { table } = undos[0]!;
    const { rows } = await this.#session.query(
      lockKeyed(table, []),
      keyBinds(
        table,
        undos.map(({ pk }) => pk),
      ),
    );
    const found = new Set((rows as { n: number }[]).map(({ n }) => undos[n - 1]!));
    await this.#update(undos.filter((undo) => found.has(undo)));
    const followed = undos
      .filter((undo) => !found.has(undo))
      .map((undo) => ({ ...undo, pk: firstPk(undo.span) }));
    await this.#update(followed);
  }

  async #create(undos: readonly RowUndo[]): Promise<void> {
    for (const group of byShape(undos)) {
      const { table, values } = group[0]!;
      const tracked = values.map(([column]) => column);
      const managed = this.#managedBinds(table, group);
      const columns = [...tracked.map(({ column }) => column), ...managed.map(([column]) => column)];
      const binds = [...valueBinds(group, tracked), ...managed.map(([, bind]) => bind)];
      const keys = new Set(table.keys.map(({ name }) => name));
      const count = await this.#session.write(insertRows(table.table, columns, keys), binds);
      this.#checkCount(group, count);
    }
  }

  /** The row's own day of creation, as far as the log knows it; it is written today. */
  #managedBinds(
    { createdAt, updatedAt, version }: UndoTable,
    undos: readonly RowUndo[],
  ): [UndoColumn['column'], string[]][] {
    const now = new Date().toISOString();
    return [
      ...(createdAt
        ? [
            [
              createdAt,
              undos.map(({ span }) => this.#createdAt.get(objectKey(span.model, firstPk(span))) ?? now),
            ] as [UndoColumn['column'], string[]],
          ]
        : []),
      ...(updatedAt ? [[updatedAt, undos.map(() => now)] as [UndoColumn['column'], string[]]] : []),
      ...(version?.notNull && version.defaultSql === null
        ? [[version, undos.map(() => '0')] as [UndoColumn['column'], string[]]]
        : []),
    ];
  }

  async #update(undos: readonly RowUndo[]): Promise<void> {
    for (const shape of byShape(undos)) {
      for (const group of chunks(shape, MAX_UPDATED)) {
        const { table, values } = group[0]!;
        const columns = values.map(([column]) => column);
        const sql = updateRows(
          table,
          columns.map(({ column }) => column),
          table,
        );
        const binds = [
          ...keyBinds(
            table,
            group.map(({ pk }) => pk),
          ),
          ...valueBinds(group, columns),
        ];
        const time = table.updatedAt ? [new Date().toISOString()] : [];
        this.#checkCount(group, await this.#session.write(sql, [...binds, ...time]));
      }
    }
  }

  async #delete(undos: readonly RowUndo[]): Promise<void> {
    const { table } = undos[0]!;
    await this.#checkChildren(table, undos);
    await this.#session.write(
      deleteKeyed(table),
      keyBinds(
        table,
        undos.map(({ pk }) => pk),
      ),
    );
  }

  /** Rows that the database would remove or change beside those that are undone: somebody's later work. */
  async #checkChildren(table: UndoTable, undos: readonly RowUndo[]): Promise<void> {
    const into = this.#references.filter(
      ({ parent, onDelete }) => tableKey(parent) === tableKey(table.resolved) && 'cnd'.includes(onDelete),
    );
    const pks = undos.map(({ pk }) => pk);
    for (const reference of into) {
      const doomed = this.#doomed.filter(
        (each) => tableKey(each.table.resolved) === tableKey(reference.child),
      );
      const child = doomed[0]?.table ?? null;
      const others = child
        ? keyBinds(
            child,
            doomed.map(({ pk }) => pk),
          )
        : [];
      const sql = countChildren(table, reference, child);
      const { rows } = await this.#session.query(sql, [...keyBinds(table, pks), ...others]);
      const found = rows as { n: number; count: number }[];
      if (found.length === 0) continue;
      throw new UndoRefused(
        found.map(({ n, count }) => childObstacle(table, pks[n - 1]!, reference, count)),
        true,
      );
    }
  }

  #checkCount(undos: readonly RowUndo[], count: number): void {
    if (count === undos.length) return;
    const { model } = undos[0]!.table;
    const objectPk = undos.length === 1 ? undos[0]!.pk : null;
    const why = `PostgreSQL wrote ${count} of ${undos.length} rows: a trigger or a row-level security policy keeps the others`;
    throw new UndoRefused([{ code: 'ERR_AUDIT_CONFLICT', model, objectPk, why }], false);
  }
}

/** As what PostgreSQL would refuse it if the foreign key did nothing to them. */
const FOREIGN_KEY_VIOLATION = '23503';
const EFFECTS = { c: 'remove', n: 'change', d: 'change', a: 'change', r: 'change' } as const;

function childObstacle(
  table: UndoTable,
  objectPk: string,
  { child, name, onDelete }: ForeignKey,
  count: number,
): UndoObstacle {
  const rows = count === 1 ? '1 row' : `${count} rows`;
  const why = `${rows} of "${child.table}" refer to it that are not part of what is undone; the foreign key "${name}" would ${EFFECTS[onDelete]} them`;
  return { code: 'ERR_AUDIT_CONFLICT', model: table.model, objectPk, why, sqlState: FOREIGN_KEY_VIOLATION };
}
