import type { Model, ModelStatic } from 'sequelize';

/** Sequelize's name of an attribute's type; undefined for a type given as text. */
export function typeKeyOf(model: ModelStatic<Model>, attribute: string): string | undefined {
  const type = model.getAttributes()[attribute]?.type as { readonly key?: string } | string | undefined;
  return typeof type === 'object' ? type.key : undefined;
}

const INTEGER_BITS: Readonly<Record<string, number>> = {
  TINYINT: 16,
  SMALLINT: 16,
  MEDIUMINT: 32,
  INTEGER: 32,
  BIGINT: 64,
};
const UUID_TYPES = ['UUID', 'UUIDV1', 'UUIDV4'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isIntegerType(type: string): boolean {
  return Object.hasOwn(INTEGER_BITS, type);
}

export function isUuidType(type: string): boolean {
  return UUID_TYPES.includes(type);
}

/** Whether PostgreSQL can read a text as an integer or a UUID, which raises where it can't; null for other types. */
export function fitsStrictType(type: string, text: string): boolean | null {
  const bits = INTEGER_BITS[type];
  if (bits !== undefined)
    return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(bits, BigInt(text)) === BigInt(text);
  return isUuidType(type) ? UUID.test(text) : null;
}
