import type { Model, ModelStatic } from 'sequelize';
import { isInstance } from '../context/instances';
import { fitsStrictType, isIntegerType, isUuidType, typeKeyOf } from '../context/key-types';
import { AuditError } from '../core/errors';
import { didYouMean, invalidArgument } from '../core/suggest';
import { exactTextOf } from '../schema/exact-time';
import { quoteLiteral } from '../schema/quote';
import { runtimeOf } from '../schema/sequelize-runtime';
import { isPlainObject } from './arguments';
import { parseTime } from './point-in-time';

/** One part of a primary key. */
export type KeyPart = string | number | bigint | boolean | Date | Buffer;

/** A primary key: its value, its parts in primary-key order, or its parts by attribute name. */
export type ObjectKey = KeyPart | readonly KeyPart[] | Readonly<Record<string, KeyPart>>;

function typeOf(model: ModelStatic<Model>, attribute: string): string {
  return typeKeyOf(model, attribute) ?? '';
}

function dateText(date: Date, type: string): string {
  if (type === 'DATEONLY') return date.toISOString().slice(0, 10);
  return exactTextOf(date) ?? date.toISOString().replace('Z', '000Z');
}

function bareText(value: unknown, type: string): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : dateText(value, type);
  return Buffer.isBuffer(value) ? value.toString('hex') : null;
}

/** One form per key, so that `7`, `'7'` and `' 7'`, or a UUID in capitals, are the same object. */
function canonical(text: string, type: string): string {
  if (isIntegerType(type))
    return /^\s*[+-]?\d+\s*$/.test(text) ? String(BigInt(text.trim().replace(/^\+/, ''))) : text;
  if (isUuidType(type)) return text.trim().toLowerCase();
  if (type === 'CHAR') return text.replace(/ +$/, '');
  return type === 'DATE' ? (parseTime(text)?.text ?? text) : text;
}

/** @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when the part is missing or no value a key can have. */
function partText(where: string, model: ModelStatic<Model>, attribute: string, value: unknown): string {
  const type = typeOf(model, attribute);
  const text = bareText(value, type);
  if (text !== null) return canonical(text, type);
  return invalidArgument(where, `a value for the key "${attribute}" of ${model.name}`, value);
}

/** A composite key that was read from an entry's `objectPk`. */
function parsedParts(pk: unknown, count: number): unknown[] | null {
  if (typeof pk !== 'string' || !pk.startsWith('[')) return null;
  try {
    const parts: unknown = JSON.parse(pk);
    return Array.isArray(parts) && parts.length === count ? (parts as unknown[]) : null;
  } catch {
    return null;
  }
}

function partsByName(
  where: string,
  model: ModelStatic<Model>,
  pk: Readonly<Record<string, unknown>>,
): unknown[] {
  const names = model.primaryKeyAttributes;
  const unknown = Object.keys(pk).find((name) => !names.includes(name));
  if (unknown === undefined) return names.map((name) => pk[name]);
  const message = `${where}: "${unknown}" is not part of the key of ${model.name}, which is ${names.join(', ')}.`;
  throw new AuditError('ERR_AUDIT_INVALID_ARGUMENT', message + didYouMean(unknown, names));
}

function partsOf(where: string, model: ModelStatic<Model>, pk: unknown): unknown[] {
  const count = model.primaryKeyAttributes.length;
  if (typeof pk === 'object' && pk !== null && isInstance(pk)) return instanceParts(model, pk);
  if (isPlainObject(pk)) return partsByName(where, model, pk);
  const parts = Array.isArray(pk) ? (pk as unknown[]) : (parsedParts(pk, count > 1 ? count : -1) ?? [pk]);
  if (parts.length === count) return parts;
  const names = model.primaryKeyAttributes.join(', ');
  return invalidArgument(
    where,
    `a key of ${count} (${names}) of ${model.name}, as an array or { attribute: value }`,
    pk,
  );
}

function instanceParts(model: ModelStatic<Model>, instance: Model): unknown[] {
  return model.primaryKeyAttributes.map((name) => instance.getDataValue(name as never) as unknown);
}

/**
 * The parts of a key as texts, by attribute, in primary-key order.
 *
 * @throws {AuditError} ERR_AUDIT_INVALID_ARGUMENT when parts are missing, unknown or no values a key can have.
 */
export function keyTexts(where: string, model: ModelStatic<Model>, pk: unknown): Record<string, string> {
  const names = model.primaryKeyAttributes;
  if (names.length === 0) invalidArgument(where, 'a model with a primary key', model);
  const parts = partsOf(where, model, pk);
  return Object.fromEntries(names.map((name, at) => [name, partText(where, model, name, parts[at])]));
}

/** The key as entries store it: a single one as text, a composite one as a JSON array of texts. */
export function objectPkText(texts: Readonly<Record<string, string>>): string {
  const parts = Object.values(texts);
  return parts.length === 1 ? (parts[0] ?? '') : JSON.stringify(parts);
}

/** `objectPk` of the entries about one object. */
export function objectPkOf(where: string, model: ModelStatic<Model>, pk: unknown): string {
  return objectPkText(keyTexts(where, model, pk));
}

const UNSTORABLE = /\0/;

function fits(type: string, text: string): boolean {
  if (type === 'DATE' || type === 'DATEONLY') return parseTime(text) !== null;
  return fitsStrictType(type, text) ?? !UNSTORABLE.test(text);
}

/** Whether PostgreSQL can compare every part with its column: a comparison that raises would fail the whole query. */
export function fitsKey(model: ModelStatic<Model>, texts: Readonly<Record<string, string>>): boolean {
  return Object.entries(texts).every(([name, text]) => fits(typeOf(model, name), text));
}

type KeyValue = string | Buffer | object;

/** Sequelize would read a moment as a Date and lose its microseconds. */
function keyValue(model: ModelStatic<Model>, name: string, text: string): KeyValue {
  const type = typeOf(model, name);
  if (type === 'BLOB') return Buffer.from(text, 'hex');
  const isExact = type === 'DATE' && parseTime(text)?.isMillisecond === false && !text.endsWith('000Z');
  if (!isExact) return text;
  const { Op, literal } = runtimeOf(model.sequelize!);
  return { [Op.eq]: literal(`${quoteLiteral(text)}::timestamptz`) };
}

/** The key as a condition on its columns: PostgreSQL reads every part from its text, but bytes. */
export function keyWhere(
  model: ModelStatic<Model>,
  texts: Readonly<Record<string, string>>,
): Record<string, KeyValue> {
  const value = ([name, text]: [string, string]): [string, KeyValue] => [name, keyValue(model, name, text)];
  return Object.fromEntries(Object.entries(texts).map(value));
}
