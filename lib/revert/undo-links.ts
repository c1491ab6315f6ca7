import type { Model, ModelStatic } from 'sequelize';
import { managedAttributes, tableOf } from '../schema/attributes';
import { manyToMany, type ManyToMany } from '../schema/associations';
import { readTable, type CatalogueColumn, type CatalogueQuery, type TableInfo } from '../schema/catalogue';
import { fieldOf } from '../capture/plan-reader';
import type { HistorySettings } from '../history/settings';
import type { KeyedTable } from '../statement/undo-sql';
import { countLinks, linkRows, restoreLinks, unlinkRows, type LinkTables } from '../statement/undo-links-sql';
import { groupBy } from './group-by';
import type { UndoneEntry } from './undo-entries';
import { UndoRefused, type UndoObstacle } from './undo-plan';
import type { UndoSession } from './undo-session';
import { keyBinds, type UndoTable, type UndoTables } from './undo-tables';

/** One link that came or went, and the first entry that says so. */
export interface LinkUndo {
  readonly action: 'link' | 'unlink';
  readonly owner: UndoTable;
  readonly ownerPk: string;
  readonly association: string;
  readonly targetPk: string;
  readonly firstId: string;
  /** The entry that says so last, in the order in which they are undone. */
  readonly lastId: string;
}

interface LinkSpan {
  readonly entry: UndoneEntry;
  readonly association: string;
  readonly targetPk: string;
  readonly wasAdded: boolean;
  isAdded: boolean;
  lastId: string;
}

function linkKey({ model, objectPk }: UndoneEntry, association: string, targetPk: string): string {
  return JSON.stringify([model, objectPk, association, targetPk]);
}

function* linksIn(entry: UndoneEntry): Generator<[association: string, pk: string, isAdded: boolean]> {
  for (const { association, added, removed } of entry.links) {
    // A link that one statement removed and added again is one that was there.
    for (const { pk } of removed) yield [association, pk, false];
    for (const { pk } of added) yield [association, pk, true];
  }
}

function spansOf(entries: readonly UndoneEntry[]): LinkSpan[] {
  const spans = new Map<string, LinkSpan>();
  for (const entry of entries) {
    for (const [association, targetPk, isAdded] of linksIn(entry)) {
      const key = linkKey(entry, association, targetPk);
      const known = spans.get(key);
      if (known) Object.assign(known, { isAdded, lastId: entry.id });
      else spans.set(key, { entry, association, targetPk, wasAdded: isAdded, isAdded, lastId: entry.id });
    }
  }
  return [...spans.values()];
}

/** Whether the through table's own entries tell of its rows: then those are undone, and the owner's view follows. */
function isOwnHistory({ registry }: HistorySettings, { through }: ManyToMany): boolean {
  return registry.find(through) !== null;
}

/** The associations of a model whose links only its own entries tell of. */
export function untrackedLinks(settings: HistorySettings, { registration }: UndoTable): string[] {
  return registration.options.associations.filter((name) => {
    const association = manyToMany(registration.model, name);
    return association !== null && !isOwnHistory(settings, association);
  });
}

/** The links to be made or taken away again. */
export function linkUndos(
  settings: HistorySettings,
  tables: UndoTables,
  entries: readonly UndoneEntry[],
): LinkUndo[] {
  return spansOf(entries).flatMap(({ entry, association, targetPk, wasAdded, isAdded, lastId }) => {
    const owner = tables.get(entry.model)!;
    const found = manyToMany(owner.registration.model, association);
    if (wasAdded !== isAdded || (found && isOwnHistory(settings, found))) return [];
    const action = wasAdded ? ('unlink' as const) : ('link' as const);
    return [{ action, owner, ownerPk: entry.objectPk, association, targetPk, firstId: entry.id, lastId }];
  });
}

/** Associations that are defined no more. */
export function linkObstacles(undos: readonly LinkUndo[]): UndoObstacle[] {
  return undos
    .filter(({ owner, association }) => manyToMany(owner.registration.model, association) === null)
    .map(({ owner, ownerPk, association }) => ({
      code: 'ERR_AUDIT_NOT_RESTORABLE',
      model: owner.model,
      objectPk: ownerPk,
      attribute: association,
      why: `"${association}" is no belongsToMany association of ${owner.model} any more`,
    }));
}

/** Later entries about the same link. */
export function linkConflicts(undos: readonly LinkUndo[], later: readonly UndoneEntry[]): UndoObstacle[] {
  const changed = new Map<string, UndoneEntry>();
  for (const entry of later) {
    for (const [association, pk] of linksIn(entry)) changed.set(linkKey(entry, association, pk), entry);
  }
  return undos.flatMap(({ owner, ownerPk, association, targetPk, firstId }) => {
    const entry = changed.get(JSON.stringify([owner.model, ownerPk, association, targetPk]));
    if (!entry || BigInt(entry.id) <= BigInt(firstId)) return [];
    const why = `the link of "${association}" to ${targetPk} was changed later, by entry ${entry.id} of ${entry.at}`;
    return [
      { code: 'ERR_AUDIT_CONFLICT', model: owner.model, objectPk: ownerPk, attribute: association, why },
    ];
  });
}

function columnIn({ columns }: TableInfo, name: string): CatalogueColumn | null {
  return columns.find((each) => each.name === name) ?? null;
}

async function keyedTable(query: CatalogueQuery, model: ModelStatic<Model>): Promise<KeyedTable> {
  const table = tableOf(model);
  const info = await readTable(query, table);
  const keys = model.primaryKeyAttributes.map((name) => info && columnIn(info, fieldOf(model, name)));
  return { table, keys: keys.filter((each) => each !== null) };
}

/** What the statements need to know of an association's three tables. */
async function linkTables(
  query: CatalogueQuery,
  owner: UndoTable,
  association: ManyToMany,
): Promise<LinkTables | null> {
  const { through } = association;
  const info = await readTable(query, tableOf(through));
  if (!info) return null;
  const { timestamps, deletedAt } = managedAttributes(through);
  const column = (attribute: string): CatalogueColumn | null => columnIn(info, fieldOf(through, attribute));
  const scope = Object.entries(association.scope).map(([name, value]) => ({ column: column(name), value }));
  return {
    owner,
    ownerColumn: association.ownerColumn,
    target: await keyedTable(query, association.target),
    targetColumn: association.targetColumn,
    through: tableOf(through),
    ownerLink: association.ownerLink,
    targetLink: association.targetLink,
    scope: scope.flatMap((each) => (each.column ? [{ ...each.column, value: String(each.value) }] : [])),
    stamps: [...timestamps].map(column).filter((each) => each !== null),
    deletedAt: deletedAt === null ? null : column(deletedAt),
  };
}

/** One end of a link is gone: it did not take part in what is undone. */
function lostLinks([first, ...others]: readonly LinkUndo[]): UndoRefused {
  const { owner, ownerPk, association, targetPk } = first!;
  const more = others.length > 0 ? ` or another of ${others.length + 1}` : '';
  const why = `the link of "${association}" to ${targetPk}${more} can't be made again: one of its ends is gone`;
  return new UndoRefused(
    [{ code: 'ERR_AUDIT_CONFLICT', model: owner.model, objectPk: ownerPk, attribute: association, why }],
    false,
  );
}

/** Links of one association, made or taken away together. */
async function writeLinks(session: UndoSession, undos: readonly LinkUndo[]): Promise<void> {
  const { owner, association, action } = undos[0]!;
  const tables = await linkTables(session.query, owner, manyToMany(owner.registration.model, association)!);
  if (!tables) return;
  const keys = [
    ...keyBinds(
      owner,
      undos.map(({ ownerPk }) => ownerPk),
    ),
    ...keyBinds(
      tables.target,
      undos.map(({ targetPk }) => targetPk),
    ),
  ];
  const binds = [...keys, ...tables.scope.map(({ value }) => value)];
  if (action === 'unlink') await session.write(unlinkRows(tables), binds);
  else {
    if (tables.deletedAt) await session.write(restoreLinks(tables), binds);
    const stamps = tables.stamps.length > 0 ? [new Date().toISOString()] : [];
    await session.write(linkRows(tables), [...binds, ...stamps]);
    const { rows } = await session.query(countLinks(tables), binds);
    if ((rows[0] as { count: number }).count < undos.length) throw lostLinks(undos);
  }
}

/** Makes or takes away links, those of one association with one statement. */
export async function runLinks(
  session: UndoSession,
  undos: readonly LinkUndo[],
  action: LinkUndo['action'],
): Promise<void> {
  const asked = undos.filter((each) => each.action === action);
  const groups = groupBy(asked, ({ owner, association: name }) => `${owner.model}\0${name}`);
  for (const group of groups.values()) await writeLinks(session, group);
}
