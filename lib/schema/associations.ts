import type { Model, ModelStatic } from 'sequelize';
import { AuditError } from '../core/errors';
import { didYouMean } from '../core/suggest';
import { columnOf } from './attributes';

/** What is read of Sequelize 6's belongsToMany; the fields have no public type. */
interface BelongsToManyInternals {
  readonly associationType: string;
  readonly target: ModelStatic<Model>;
  readonly through: {
    readonly model: ModelStatic<Model>;
    readonly scope?: Readonly<Record<string, unknown>> | null;
  };
  readonly foreignKey: string;
  readonly otherKey: string;
  readonly sourceKeyField: string;
  readonly targetKeyField: string;
}

/** A belongsToMany association by its tables and columns. */
export interface ManyToMany {
  readonly name: string;
  readonly target: ModelStatic<Model>;
  readonly through: ModelStatic<Model>;
  /** Columns of the through table that refer to the owner and to the target. */
  readonly ownerLink: string;
  readonly targetLink: string;
  /** The columns they refer to. */
  readonly ownerColumn: string;
  readonly targetColumn: string;
  /** Attributes of the through model and the values that make a row one of this association. */
  readonly scope: Readonly<Record<string, unknown>>;
}

function associationsOf(model: ModelStatic<Model>): [string, BelongsToManyInternals][] {
  return Object.entries(model.associations) as unknown as [string, BelongsToManyInternals][];
}

/**
 * Models may be registered before their associations are defined, so the names are checked when they are first needed.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_OPTION when one is no belongsToMany association of `model`.
 */
export function checkAssociations(model: ModelStatic<Model>, names: readonly string[]): void {
  for (const name of names) {
    if (!manyToMany(model, name)) throw unknownAssociation(model, name, associationsOf(model));
  }
}

/** Not what the association remembers of it: the other side, defined later, may have given the attribute another column. */
function linkColumnOf(through: ModelStatic<Model>, attribute: string): string {
  return columnOf(through, through.getAttributes()[attribute]?.field ?? attribute);
}

/** The belongsToMany association of that name; null when there is none (yet). */
export function manyToMany(model: ModelStatic<Model>, name: string): ManyToMany | null {
  const found = associationsOf(model).find(([each]) => each === name)?.[1];
  if (found?.associationType !== 'BelongsToMany') return null;
  return {
    name,
    target: found.target,
    through: found.through.model,
    ownerLink: linkColumnOf(found.through.model, found.foreignKey),
    targetLink: linkColumnOf(found.through.model, found.otherKey),
    ownerColumn: columnOf(model, found.sourceKeyField),
    targetColumn: columnOf(found.target, found.targetKeyField),
    scope: found.through.scope ?? {},
  };
}

function unknownAssociation(
  model: ModelStatic<Model>,
  name: string,
  known: readonly [string, BelongsToManyInternals][],
): AuditError {
  const candidates = known
    .filter(([, each]) => each.associationType === 'BelongsToMany')
    .map(([each]) => each);
  const list = candidates.length === 0 ? 'it has none yet' : `it has ${candidates.join(', ')}`;
  const message = `registerAudited(${model.name}): associations names "${name}", which is no belongsToMany association of the model (${list}).`;
  return new AuditError('ERR_AUDIT_INVALID_OPTION', message + didYouMean(name, candidates));
}

/** What is read of any of Sequelize 6's associations. */
interface AssociationInternals {
  readonly associationType: string;
  readonly source: ModelStatic<Model>;
  readonly target: ModelStatic<Model>;
  readonly through?: { readonly model: ModelStatic<Model> };
  readonly foreignKey: string;
  readonly otherKey?: string;
}

/** The attributes of `model` that an association gives as its key, from either side. */
function keysGiven(association: AssociationInternals, model: ModelStatic<Model>): (string | undefined)[] {
  const { associationType, source, target, through, foreignKey, otherKey } = association;
  if (associationType === 'BelongsToMany') return through?.model === model ? [foreignKey, otherKey] : [];
  const holder = associationType === 'BelongsTo' ? source : target;
  return holder === model ? [foreignKey] : [];
}

/** Attributes of `model` by which associations refer to other models, also those without a constraint in the database. */
export function referringAttributes(model: ModelStatic<Model>): Set<string | undefined> {
  const models = Object.values(model.sequelize?.models ?? {});
  const associations = models.flatMap((each) => Object.values(each.associations ?? {}));
  return new Set(associations.flatMap((each) => keysGiven(each as unknown as AssociationInternals, model)));
}

const READING_ACCESSORS = new Set(['get', 'count', 'hasSingle', 'hasAll']);

/** The methods that a model's associations give its instances for writing: `addTags`, `setCustomer`, `createItem` and the like. */
export function linkingMethods(model: ModelStatic<Model>): string[] {
  const associations = Object.values(model.associations ?? {}) as unknown as {
    readonly accessors?: Readonly<Record<string, string>>;
  }[];
  return associations.flatMap(({ accessors = {} }) =>
    Object.entries(accessors)
      .filter(([kind]) => !READING_ACCESSORS.has(kind))
      .map(([, name]) => name),
  );
}
