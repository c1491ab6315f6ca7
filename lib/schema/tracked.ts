import type { DataType, Model, ModelAttributeColumnOptions, ModelStatic } from 'sequelize';
import { referringAttributes } from './associations';
import { columnOf, managedAttributes, storedAttributes, type ManagedAttributes } from './attributes';
import type { MaskRule, ResolvedRegistration } from './registration';

/** One tracked column of a registered model. */
export interface TrackedColumn {
  readonly attribute: string;
  readonly column: string;
  readonly type: DataType;
  readonly isKey: boolean;
  /** False for what only versions hold: managed timestamps and the optimistic-lock version, unless included by name. */
  readonly inDelta: boolean;
  /** Null when the value is shown. */
  readonly mask: MaskRule | null;
  /** True when the column refers to another table, by a constraint or by an association alone. */
  readonly isReference: boolean;
}

/** The tracked columns of a model in definition order, and those with a special part. */
export interface TrackedModel {
  readonly columns: readonly TrackedColumn[];
  /** In primary-key order, which is the order of `objectPk`. */
  readonly keys: readonly TrackedColumn[];
  readonly deletedAt: TrackedColumn | null;
}

/** The options that decide which columns are tracked, and how. */
export type TrackedOptions = Pick<ResolvedRegistration, 'include' | 'exclude' | 'mask'>;

function isTracked(name: string, registration: TrackedOptions, managed: ManagedAttributes): boolean {
  if (registration.exclude.has(name)) return false;
  if (name === managed.deletedAt || registration.include === null) return true;
  return registration.include.has(name) || managed.timestamps.has(name) || name === managed.version;
}

function maskOf(name: string, registration: TrackedOptions, pattern: RegExp | null): MaskRule | null {
  const named = registration.mask.get(name);
  if (named) return named;
  return pattern?.test(name) ? { keepLast: 0 } : null;
}

/** The tracked columns of `model`, read from its attributes as they are now: associations may have added some. */
export function trackedModel(
  model: ModelStatic<Model>,
  registration: TrackedOptions,
  maskPattern: RegExp | null,
): TrackedModel {
  const managed = managedAttributes(model);
  const keyNames = model.primaryKeyAttributes;
  const referring = referringAttributes(model);
  const column = ([attribute, definition]: [string, ModelAttributeColumnOptions]): TrackedColumn => {
    const isManaged = managed.timestamps.has(attribute) || attribute === managed.version;
    const isKey = keyNames.includes(attribute);
    return {
      attribute,
      column: columnOf(model, definition.field ?? attribute),
      type: definition.type,
      isKey,
      inDelta: !isManaged || registration.include?.has(attribute) === true,
      mask: isKey ? null : maskOf(attribute, registration, maskPattern),
      isReference: definition.references !== undefined || referring.has(attribute),
    };
  };
  const columns = storedAttributes(model)
    .filter(([name]) => keyNames.includes(name) || isTracked(name, registration, managed))
    .map(column);
  return {
    columns,
    keys: keyNames
      .map((name) => columns.find((each) => each.attribute === name))
      .filter((each) => each !== undefined),
    deletedAt: columns.find((each) => each.attribute === managed.deletedAt) ?? null,
  };
}
