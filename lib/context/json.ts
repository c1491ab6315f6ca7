import type { JsonValue } from '../core/types';
import { isInstance, keyOfInstance } from './instances';
import { storableText } from './text';

/** A JSON object, as `additionalData` is stored. */
export type JsonObject = { [key: string]: JsonValue };

/** Levels of nesting kept; deeper values read `[Too deep]`. */
export const MAX_DEPTH = 32;
/** UTF-8 bytes of JSON text kept; more is replaced by `{ truncated: true, bytes }`. */
export const MAX_BYTES = 65_536;
/** A value takes at least two bytes of text, so this many can't fit: what shares objects may unfold without end. */
const MAX_VALUES = MAX_BYTES;

const UNSERIALIZABLE = '[Unserializable]';

/** One conversion: the objects it stands in, to see circles, and how many values it made. */
class Conversion {
  readonly #ancestors = new Set<object>();
  #values = 0;

  /** Undefined is left out of objects and null in arrays, as `JSON.stringify` does. */
  value(given: unknown): JsonValue | undefined {
    this.#values += 1;
    if (given === null || typeof given === 'boolean') return given;
    if (typeof given === 'string') return storableText(given);
    if (typeof given === 'number') return Number.isFinite(given) ? given : String(given);
    if (typeof given === 'bigint') return String(given);
    return typeof given === 'object' ? this.#object(given) : undefined;
  }

  #object(given: object): JsonValue | undefined {
    if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) return { bytes: given.byteLength };
    if (this.#ancestors.has(given)) return '[Circular]';
    if (this.#ancestors.size >= MAX_DEPTH) return '[Too deep]';
    this.#ancestors.add(given);
    try {
      return this.#members(given);
    } catch {
      return UNSERIALIZABLE;
    } finally {
      this.#ancestors.delete(given);
    }
  }

  #members(given: object): JsonValue | undefined {
    // Its toJSON would copy masked attributes and whole included trees into the log.
    if (isInstance(given)) return { model: given.constructor.name, pk: keyOfInstance(given) };
    const { toJSON } = given as { toJSON?: unknown };
    if (typeof toJSON !== 'function') return this.#plain(given);
    const answer: unknown = toJSON.call(given, '');
    return typeof answer === 'object' && answer !== null ? this.#answer(given, answer) : this.value(answer);
  }

  /** What a toJSON gave; not asked again, as it may return itself or another object with a toJSON. */
  #answer(given: object, answer: object): JsonValue | undefined {
    if (answer !== given && this.#ancestors.has(answer)) return '[Circular]';
    return isInstance(answer) || ArrayBuffer.isView(answer) ? this.#object(answer) : this.#plain(answer);
  }

  #plain(given: object): JsonValue {
    if (Array.isArray(given)) return this.#array(given);
    const members: [string, JsonValue][] = [];
    for (const key of Object.keys(given)) {
      if (this.#values >= MAX_VALUES) break;
      const value = this.#member(given, key);
      if (value !== undefined) members.push([storableText(key), value]);
    }
    // Unlike assignment, fromEntries makes `__proto__` a key like any other.
    return Object.fromEntries(members);
  }

  #member(given: object, key: string): JsonValue | undefined {
    let value: unknown;
    try {
      value = (given as Record<string, unknown>)[key];
    } catch {
      return UNSERIALIZABLE;
    }
    return this.value(value);
  }

  #array(given: readonly unknown[]): JsonValue[] {
    const items: JsonValue[] = [];
    for (let index = 0; index < given.length && this.#values < MAX_VALUES; index += 1) {
      items.push(this.value(given[index]) ?? null);
    }
    return items;
  }
}

/**
 * Any value as JSON fit for `jsonb`: Dates as ISO text, BigInt, NaN and infinities as text, binary data as `{ bytes }`, a Sequelize
 * instance as `{ model, pk }`, circles as `[Circular]`, what throws as `[Unserializable]`, more than 32 levels as `[Too deep]`;
 * functions and undefined are dropped. More than 65,536 values are cut off.
 *
 * @example
 * toJson({ at: new Date(0), n: 1n }); // { at: '1970-01-01T00:00:00.000Z', n: '1' }
 */
export function toJson(value: unknown): JsonValue | undefined {
  return new Conversion().value(value);
}

/** The text of converted data, at most 64 kB: a larger one becomes `{ truncated: true, bytes }`. */
export function boundedJsonText(converted: JsonValue): string {
  const text = JSON.stringify(converted);
  const bytes = Buffer.byteLength(text);
  return bytes <= MAX_BYTES ? text : JSON.stringify({ truncated: true, bytes });
}

/**
 * Any value as JSON text fit for `jsonb`: {@link toJson}, at most 64 kB.
 *
 * @example
 * toJsonText({ ticket: 9n }); // '{"ticket":"9"}'
 */
export function toJsonText(value: unknown): string {
  return boundedJsonText(toJson(value) ?? null);
}
