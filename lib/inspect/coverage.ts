import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { auditedOf, isTable } from '../capture/cascade-graph';
import type { Registration, Registry } from '../capture/registry';
import type { CapturedAction } from '../core/types';
import { manyToMany } from '../schema/associations';
import { tableOf, virtualAttributes } from '../schema/attributes';
import { readForeignKeys, readTable, type CatalogueQuery, type ForeignKey } from '../schema/catalogue';
import type { TableName } from '../schema/quote';
import { NOT_RECORDED, type NotRecorded, type NotRecordedCode } from './not-recorded';

/** A foreign key by which the database itself changes rows when rows of this model are deleted. */
export interface CascadeCoverage {
  readonly constraint: string;
  readonly table: string;
  readonly onDelete: 'cascade' | 'set null' | 'set default';
  /** Whether the rows it removes or changes leave entries. */
  readonly recorded: boolean;
}

/** What is recorded of one defined model, and what is not. */
export interface ModelCoverage {
  /** Name of the model's class. */
  readonly model: string;
  readonly table: string;
  readonly registered: boolean;
  /** The stable name of its entries; null when not registered. */
  readonly modelName: string | null;
  readonly snapshots: boolean;
  /** Actions that leave an entry. */
  readonly actions: readonly CapturedAction[];
  readonly tracked: readonly string[];
  /** Stored attributes that are not tracked. */
  readonly untracked: readonly string[];
  readonly masked: readonly string[];
  /** Those of `masked` that nobody listed: their names match the pattern. */
  readonly maskedByPattern: readonly string[];
  readonly cascades: readonly CascadeCoverage[];
  /** What is not recorded of this model, and what to do. */
  readonly notRecorded: readonly NotRecorded[];
}

const ACTIONS: readonly CapturedAction[] = ['create', 'update', 'delete'];
const ON_DELETE = { c: 'cascade', n: 'set null', d: 'set default', a: null, r: null } as const;

/** What is recorded of every defined model. */
export async function coverageOf(
  sequelize: Sequelize,
  query: CatalogueQuery,
  registry: Registry,
): Promise<ModelCoverage[]> {
  const keys = await readForeignKeys(query);
  const models = Object.values(sequelize.models).toSorted((a, b) => a.name.localeCompare(b.name));
  return Promise.all(models.map((model) => modelCoverage(query, registry, keys, model)));
}

async function modelCoverage(
  query: CatalogueQuery,
  registry: Registry,
  keys: readonly ForeignKey[],
  model: ModelStatic<Model>,
): Promise<ModelCoverage> {
  const registration = registry.find(model);
  const table = tableOf(model);
  return {
    model: model.name,
    table: table.schema === null ? table.table : `${table.schema}.${table.table}`,
    registered: registration !== null,
    modelName: registration?.name ?? null,
    snapshots: registration?.options.snapshots != null,
    actions: ACTIONS.filter((action) => registration?.options.actions.has(action)),
    ...attributeCoverage(model, registration),
    cascades: cascadesOf(registry, keys, table),
    notRecorded: await notRecorded(query, registry, keys, model, registration),
  };
}

type AttributeCoverage = Pick<ModelCoverage, 'tracked' | 'untracked' | 'masked' | 'maskedByPattern'>;

function attributeCoverage(model: ModelStatic<Model>, registration: Registration | null): AttributeCoverage {
  const virtual = virtualAttributes(model);
  const stored = Object.keys(model.getAttributes()).filter((name) => !virtual.has(name));
  if (!registration) return { tracked: [], untracked: stored, masked: [], maskedByPattern: [] };
  const tracked = registration.tracked.columns.map((column) => column.attribute);
  return {
    tracked,
    untracked: stored.filter((name) => !tracked.includes(name)),
    masked: registration.masked,
    maskedByPattern: registration.masked.filter((name) => !registration.options.mask.has(name)),
  };
}

function cascadesOf(registry: Registry, keys: readonly ForeignKey[], table: TableName): CascadeCoverage[] {
  const own = keys.filter((key) => isTable(key.parent, table));
  return own.flatMap((key) => {
    const onDelete = ON_DELETE[key.onDelete];
    const recorded = auditedOf(registry, key.child)?.registration != null;
    return onDelete === null ? [] : [{ constraint: key.name, table: key.child.table, onDelete, recorded }];
  });
}

/** What holds for every registered model, and more where the model or its table gives cause. */
async function notRecorded(
  query: CatalogueQuery,
  registry: Registry,
  keys: readonly ForeignKey[],
  model: ModelStatic<Model>,
  registration: Registration | null,
): Promise<NotRecorded[]> {
  if (!registration) return sentences({ unregistered_models: true });
  const info = await readTable(query, tableOf(model));
  const own = keys.filter(({ child }) => isTable(child, tableOf(model)));
  return sentences({
    raw_sql: true,
    unseen_raw_sql: true,
    other_programs: true,
    triggers: true,
    cascade_triggers: own.some(({ mayAlterChild }) => mayAlterChild),
    hidden_rows: info?.isRowSecurityActive === true,
    definitions: true,
    untracked_attributes: attributeCoverage(model, registration).untracked.length > 0,
    virtual_attributes: virtualAttributes(model).size > 0,
    untracked_actions: ACTIONS.some((action) => !registration.options.actions.has(action)),
    untracked_links: hasUntrackedLinks(registry, model),
    switched_off: true,
    rewrite_rules: info?.hasRules === true,
    reads: true,
  });
}

/** Links are rows of the through table: recorded when that is registered, or tracked from either side. */
function hasUntrackedLinks(registry: Registry, model: ModelStatic<Model>): boolean {
  const links = Object.keys(model.associations).map((name) => manyToMany(model, name));
  return links.some((link) => link !== null && registry.audited(tableOf(link.through)) === null);
}

function sentences(applies: Readonly<Partial<Record<NotRecordedCode, boolean>>>): NotRecorded[] {
  return NOT_RECORDED.filter(({ code }) => applies[code] === true);
}
