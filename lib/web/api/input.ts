import { z } from 'zod';
import { didYouMean } from '../../core/suggest';
import { WebProblem } from '../problem';

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

const schemas = new WeakMap<z.ZodObject, ObjectSchema>();

/** The schema as others read it: it also says which parameters are lists and numbers. */
export function jsonSchemaOf(schema: z.ZodObject): ObjectSchema {
  const known = schemas.get(schema) ?? (z.toJSONSchema(schema, { io: 'input' }) as ObjectSchema);
  schemas.set(schema, known);
  return known;
}

/** The texts of a parameter as its schema has them; what is given twice by mistake stays a list, and is refused. */
function typed(type: string | undefined, texts: readonly string[]): unknown {
  const [text = '', ...more] = texts;
  if (type === 'array' || more.length > 0) return texts;
  return type === 'integer' && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

const wrong = (parameter: string, detail: string): WebProblem =>
  new WebProblem(400, 'Wrong parameter', { detail, parameter });

function problemOf(schema: z.ZodObject, what: string, error: z.ZodError): WebProblem {
  const [issue] = error.issues;
  const names = Object.keys(schema.shape);
  if (issue?.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys;
    const known = names.length === 0 ? '' : ` Known: ${names.join(', ')}.`;
    return wrong(name, `There is no ${what} "${name.slice(0, 60)}".${didYouMean(name, names)}${known}`);
  }
  const name = String(issue?.path[0] ?? what);
  return wrong(name, `${name}: ${issue?.message ?? 'wrong'}.`);
}

/**
 * The query by its schema.
 *
 * @throws {WebProblem} 400: a parameter that is unknown is refused, since a typo must not widen a list
 */
export function readQuery<S extends z.ZodObject>(schema: S, params: URLSearchParams): z.output<S> {
  const { properties = {} } = jsonSchemaOf(schema);
  const names = [...new Set(params.keys())];
  const given = names.map((name) => [
    name,
    typed(Object.hasOwn(properties, name) ? properties[name]?.type : undefined, params.getAll(name)),
  ]);
  const read = schema.safeParse(Object.fromEntries(given));
  if (read.success) return read.data;
  throw problemOf(schema, 'parameter', read.error);
}

/** A JSON body by its schema. @throws {WebProblem} 400, 415 */
export function readBody<S extends z.ZodObject>(
  schema: S,
  contentType: string | undefined,
  body: unknown,
): z.output<S> {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? ''))
    throw new WebProblem(415, 'Unsupported media type', { detail: 'Send the body as application/json.' });
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw problemOf(schema, 'member', read.error);
}
