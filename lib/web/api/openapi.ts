import { z } from 'zod';
import { json, type Answer } from '../answers';
import type { Visit } from '../visit';
import type { Endpoint } from './endpoint';
import { jsonSchemaOf } from './input';
import { NAMED, PROBLEM } from './schemas';

type Json = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';
const PATH_EXAMPLES: Readonly<Record<string, string>> = {
  model: 'Order',
  pk: '42',
  id: '1',
  correlationId: 'req-1',
  transactionId: '4711',
  actorId: '7',
};
const STATUSES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Done: `Location` is the entry that was written.',
  304: 'As `If-None-Match` knows it.',
  400: 'A parameter is wrong or unknown.',
  403: 'You may not do this.',
  503: 'The query took too long: narrow it.',
};

/** The named schemas, as they refer to each other. */
function components(): Json {
  const { schemas } = z.toJSONSchema(NAMED, { io: 'output', uri: (id) => COMPONENTS + id });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema]),
  );
}

const refTo = (schema: z.ZodType): Json => ({ $ref: COMPONENTS + NAMED.get(schema)!.id });
const content = (type: string, schema: z.ZodType): Json => ({ [type]: { schema: refTo(schema) } });

function queryParameters({ query }: Endpoint): Json[] {
  const { properties = {}, required = [] } = jsonSchemaOf(query) as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, example, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description,
    schema,
    ...(example !== undefined && { example }),
  }));
}

function pathParameters({ path }: Endpoint): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: 'Where a path can not hold the value, `-`, and the value as a query parameter of this name.',
    schema: { type: 'string' },
    example: PATH_EXAMPLES[name],
  }));
}

const HEADERS: Readonly<Record<'get' | 'post', readonly Json[]>> = {
  get: [
    {
      name: 'If-None-Match',
      in: 'header',
      schema: { type: 'string' },
      description: 'An ETag that is known.',
    },
  ],
  post: [
    {
      name: 'If-Match',
      in: 'header',
      schema: { type: 'string' },
      description: 'The ETag of the object as it was seen; required unless `dryRun`.',
    },
  ],
};

function responses({ method, gives, problems = {} }: Endpoint): Json {
  const others = { 400: STATUSES[400]!, 403: STATUSES[403]!, ...problems, 503: STATUSES[503]! };
  const succeeded = Object.entries(gives).map(([status, schema]) => [
    status,
    { description: STATUSES[Number(status)], content: content('application/json', schema) },
  ]);
  const failed = Object.entries(others).map(([status, description]) => [
    status,
    { description, content: content('application/problem+json', PROBLEM) },
  ]);
  const known = method === 'get' ? [['304', { description: STATUSES[304] }]] : [];
  return Object.fromEntries([...succeeded, ...known, ...failed]) as Json;
}

function operation(each: Endpoint): Json {
  const { operationId, summary, description, body, method } = each;
  const example = { to: '1', reason: 'ticket 7', dryRun: true };
  const requestBody = body && {
    required: true,
    content: { 'application/json': { schema: refTo(body), example } },
  };
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    parameters: [...pathParameters(each), ...queryParameters(each), ...HEADERS[method]],
    ...(requestBody && { requestBody }),
    responses: responses(each),
  };
}

function paths(endpoints: readonly Endpoint[]): Json {
  const all: Record<string, Json> = {};
  for (const each of endpoints) {
    const path = each.path.replaceAll(/:(\w+)/g, '{$1}');
    all[path] = { ...all[path], [each.method]: operation(each) };
  }
  return all;
}

/** The document, made from the schemas that validate. */
export function openApiOf(endpoints: readonly Endpoint[], title: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title,
      version: '1',
      description: 'The audit log as JSON. Every answer shows what its visitor may see, and nothing else.',
    },
    servers: [{ url: '.' }],
    paths: paths(endpoints),
    components: { schemas: components() },
  };
}

/** Names of masked attributes by model, so that a real `***` isn't taken for a mask. */
function maskedOf({ access, web }: Visit, models: readonly string[]): Json {
  const masked = models.map((model) => {
    const names = web.settings.registry.findByName(model)?.masked ?? [];
    return [model, names.filter((name) => access.sees(model, name))] as const;
  });
  return Object.fromEntries(masked.filter(([, names]) => names.length > 0));
}

/** Serves the document to those who may see any model. */
export function openApiHandler(endpoints: readonly Endpoint[]) {
  return async (visit: Visit): Promise<Answer> => {
    const models = await visit.access.requireModels('view');
    const document = openApiOf(endpoints, visit.web.options.title);
    const { schemas } = document['components'] as { schemas: Record<string, Json> };
    schemas['Changes'] = { ...schemas['Changes'], 'x-masked': maskedOf(visit, models) };
    return json(document);
  };
}
