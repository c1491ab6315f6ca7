import { Op, type Model } from 'sequelize';
import type { LogEntry } from 'sequelize-auditlog';
import type { TestDatabase } from '../support/database';
import { HIDDEN, SUBJECTS, type AnyModel, type StoryModels, type Subject } from './story-models';

export type Row = Readonly<Record<string, unknown>>;

/** The tables as they were at one time, by plain selects while nobody wrote. */
export interface Shadow {
  /** The server's clock, with microseconds. */
  readonly time: string;
  /** The newest entry; null before the first. */
  readonly entry: LogEntry | null;
  readonly rows: Readonly<Record<Subject, readonly Row[]>>;
  /** What is shown of passwords, by subject and key. */
  readonly masks: ReadonlyMap<string, string | null>;
  /** Items with their pages and tags. */
  readonly trees: unknown;
  /** The keys of the tags. */
  readonly tags: readonly string[];
}

/** A value as it can be compared: what `-0`, a Date and a Buffer hold. */
export function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString('hex')}`;
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (Array.isArray(value)) return (value as unknown[]).map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : (value ?? null);
}

/** The attributes of an instance that history shows, and that are set. */
export function visible(instance: Model): Row {
  const values = Object.entries(instance.dataValues as Record<string, unknown>);
  return Object.fromEntries(
    values
      .filter(([name, value]) => !HIDDEN.has(name) && value !== undefined)
      .map(([name, value]) => [name, plain(value)]),
  );
}

export function maskKey(name: Subject, key: readonly unknown[]): string {
  return JSON.stringify([name, key]);
}

export function keyOf(model: AnyModel, row: Row): unknown[] {
  return model.primaryKeyAttributes.map((name) => row[name]);
}

/** Items with what hangs on them, in an order that is the same everywhere. */
export const TREE = {
  include: ['pages', 'tags'],
  order: [['id'], ['pages', 'id'], ['tags', 'code']] as never,
};

/** A tree of instances as plain data, without what history hides. */
export function treeOf(instances: readonly Model[]): unknown {
  return JSON.parse(
    JSON.stringify(instances, (name, value: unknown) => (HIDDEN.has(name) ? undefined : value)),
  ) as unknown;
}

export async function takeShadow(
  database: TestDatabase,
  models: StoryModels,
  LogEntry: { findOne(options: object): Promise<LogEntry | null> },
): Promise<Shadow> {
  const [clock] = await database.rows<{ time: string }>(
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time`,
  );
  const rows: Record<Subject, Row[]> = { Item: [], Slot: [], Page: [] };
  const masks = new Map<string, string | null>();
  for (const name of SUBJECTS) {
    const found = await (models[name] as AnyModel).findAll({ paranoid: false });
    rows[name] = found.map(visible);
    for (const each of found.filter((row) => 'password' in row.dataValues)) {
      const mask = each.get('password') === null ? null : '********';
      masks.set(maskKey(name, keyOf(models[name], visible(each))), mask);
    }
  }
  const entry = await LogEntry.findOne({ order: [['id', 'DESC']], where: { id: { [Op.gt]: 0 } } });
  const tags = (await models.Tag.findAll()).map((tag) => String(tag.get('code')));
  return { time: clock!.time, entry, rows, masks, tags, trees: treeOf(await models.Item.findAll(TREE)) };
}
