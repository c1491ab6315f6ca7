import type { Model, ModelStatic, Sequelize } from 'sequelize';
import { tableOf, virtualAttributes } from '../schema/attributes';
import { readForeignKeys, readTable, type CatalogueQuery, type ForeignKey } from '../schema/catalogue';
import type { TableName } from '../schema/quote';
import { auditedOf } from './cascade-graph';
import type { Registration, Registry } from './registry';

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
  readonly tracked: readonly string[];
  /** Stored attributes that are not tracked. */
  readonly untracked: readonly string[];
  readonly masked: readonly string[];
  /** Those of `masked` that nobody listed: their names match the pattern. */
  readonly maskedByPattern: readonly string[];
  readonly cascades: readonly CascadeCoverage[];
  /** Sentences about what can't be recorded of this model. */
  readonly notRecorded: readonly string[];
}

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
    ...attributeCoverage(model, registration),
    cascades: cascadesOf(registry, keys, table),
    notRecorded: await notRecorded(query, model, registration),
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
  const isParent = ({ parent }: ForeignKey): boolean =>
    parent.table === table.table && (table.schema === null ? parent.visible : parent.schema === table.schema);
  return keys.filter(isParent).flatMap((key) => {
    const onDelete = ON_DELETE[key.onDelete];
    const recorded = auditedOf(registry, key.child)?.registration != null;
    return onDelete === null ? [] : [{ constraint: key.name, table: key.child.table, onDelete, recorded }];
  });
}

async function notRecorded(
  query: CatalogueQuery,
  model: ModelStatic<Model>,
  registration: Registration | null,
): Promise<string[]> {
  if (!registration) return ['The model is not registered: none of its writes is recorded.'];
  const info = await readTable(query, tableOf(model));
  const sentences: string[] = [
    'Raw SQL beyond simple statements, and other programs that write to the table.',
  ];
  if (info?.hasRules) sentences.push('All writes: they are refused, because the table has rewrite rules.');
  if (virtualAttributes(model).size > 0)
    sentences.push('VIRTUAL attributes, which the database does not hold.');
  const left = (['create', 'update', 'delete'] as const).filter(
    (action) => !registration.options.actions.has(action),
  );
  if (left.length > 0)
    sentences.push(`The actions ${left.join(' and ')}, which its registration leaves out.`);
  return sentences;
}
