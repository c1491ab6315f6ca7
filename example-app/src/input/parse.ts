import { z } from 'zod';
import { type FieldErrors, ShopError } from '../shop-error';

/** The checked input, or a 422 that names each field that was wrong. */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input ?? {});
  if (!result.success) throw new ShopError(422, 'Please check what you entered.', fieldErrors(result.error));
  return result.data;
}

function fieldErrors(error: z.ZodError): FieldErrors {
  const entries = error.issues.map((issue) => [String(issue.path[0] ?? 'form'), issue.message] as const);
  // The first thing that is wrong with a field is the one to say.
  return Object.fromEntries(entries.toReversed());
}

// A form field that is left empty arrives as '', which means the same as not given.
const emptyToNull = (value: unknown): unknown => (value === '' || value === undefined ? null : value);

export const optionalText = z.preprocess(emptyToNull, z.string().trim().max(2000).nullable());

export const requiredText = (message: string) => z.string(message).trim().min(1, message).max(200);

export const id = z.coerce.number().int().positive();

/** One value or several: a form sends a single checkbox as a text, many as a list. */
export const listOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === undefined || value === '' ? [] : [value].flat()), z.array(schema));

/** For an edit: what is absent stays as it is, so that a PATCH may name one attribute only. */
export const changesOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape).partial().transform(withoutUndefined);

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
