import SwaggerParser from '@apidevtools/swagger-parser';
import type { Express } from 'express';
import request, { type Response, type Test } from 'supertest';
import { z } from 'zod';
import { ENDPOINTS } from '../../lib/web/api/routes';
import { testDatabase } from '../support/database';
import { asActor, webWorld } from '../support/web';

const database = testDatabase();
const world = webWorld(database);
let app: Express;

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly example?: unknown;
  readonly schema: unknown;
  readonly description?: string;
}

interface Content {
  readonly content?: Record<string, { schema: unknown; example?: object }>;
}

interface Operation extends Content {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Record<string, Content>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<'get' | 'post', Operation>>;
  readonly components: { schemas: Record<string, Record<string, unknown>> };
}

let document: Document;

beforeAll(async () => {
  await world.open();
  app = world.app();
  // The objects that the examples of the document name; its first entry is about the order.
  await asActor('7', 'first', () => world.Order.create({ id: 42, status: 'new' }));
  await world.Order.update({ status: 'paid' }, { where: { id: 42 } });
  await world.Item.create({ orderId: '42', sku: 'x', quantity: 1 });
  document = (await request(app).get('/audit/openapi.json').expect(200)).body as Document;
});
afterAll(() => database.close());

const copy = (): Document => JSON.parse(JSON.stringify(document)) as Document;

it('is valid OpenAPI 3.1, made from the schemas that validate', async () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  await expect(SwaggerParser.validate(copy() as never)).resolves.toBeDefined();
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const served = ENDPOINTS.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(told.toSorted()).toEqual(served.toSorted());
});

it('tells what each parameter is, and which attributes are masked', () => {
  for (const methods of Object.values(document.paths))
    for (const { parameters } of Object.values(methods))
      for (const each of parameters)
        expect(each).toMatchObject({ schema: expect.any(Object), description: expect.any(String) });
  const list = document.paths['/api/v1/entries']!.get;
  expect(list.parameters.find(({ name }) => name === 'limit')?.schema).toEqual({
    type: 'integer',
    minimum: 1,
    maximum: 200,
  });
  expect(list.parameters.find(({ name }) => name === 'model')?.schema).toMatchObject({ type: 'array' });
  expect(document.components.schemas['Changes']!['x-masked']).toEqual({ Order: ['cardNumber'] });
});

it('is for those who may see something', async () => {
  await request(world.app({ authorize: () => false }))
    .get('/audit/openapi.json')
    .expect(403);
  const blind = world.app({ canSee: (_req, _model, attribute) => attribute !== 'cardNumber' });
  expect((await request(blind).get('/audit/openapi.json')).text).not.toContain('cardNumber');
});

const isFull = process.env.FULL === '1';
const replayed = new Set<string>();

/** Each example once; in full, of each operation. */
function isNew({ name, example }: Parameter): boolean {
  const key = `${name}=${String(example)}`;
  const isKnown = replayed.has(key);
  replayed.add(key);
  return isFull || !isKnown;
}

/** One request per example: the required parameters alone, then with one of the others. */
function examplesOf(path: string, { parameters }: Operation): string[] {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(parameters.find((each) => each.name === name)?.example)),
  );
  const query = parameters.filter((each) => each.in === 'query' && each.example !== undefined);
  const required = query.filter((each) => each.required);
  const others = query.filter((each) => !each.required && isNew(each));
  const address = (given: readonly Parameter[]): string =>
    `/audit${filled}?${new URLSearchParams(given.map(({ name, example }) => [name, String(example)])).toString()}`;
  return [address(required), ...others.map((each) => address([...required, each]))];
}

async function checked(operation: Operation, schemas: Operation, sent: Test): Promise<Response> {
  const answer = await sent;
  expect([operation.operationId, answer.status, answer.text]).toEqual([
    operation.operationId,
    200,
    answer.text,
  ]);
  const schema = z.fromJSONSchema(schemas.responses['200']!.content!['application/json']!.schema as never);
  expect(schema.safeParse(answer.body)).toMatchObject({ success: true });
  expect(schema.safeParse({ ...answer.body, data: 1, model: 1, id: 1 })).toMatchObject({ success: false });
  return answer;
}

it('has examples that work, and answers as it says', async () => {
  const whole = (await SwaggerParser.dereference(copy() as never)) as unknown as Document;
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      for (const address of examplesOf(path, operation)) {
        const body = operation.requestBody?.content?.['application/json']?.example;
        const server = request(app);
        const sent = method === 'post' ? server.post(address) : server.get(address);
        sent.set({ Host: 'a.example', Origin: 'http://a.example' });
        await checked(operation, whole.paths[path]![method as 'get'], body ? sent.send(body) : sent);
      }
  expect(replayed.size).toBeGreaterThan(12);
});

it('tells problems as it says', async () => {
  const whole = (await SwaggerParser.dereference(copy() as never)) as unknown as Document;
  const problem = z.fromJSONSchema(whole.components.schemas['Problem'] as never);
  for (const [path, status] of [
    ['entries?x=1', 400],
    ['entries/999', 404],
    ['objects/Order/1', 404],
  ] as const) {
    const { body } = await request(app).get(`/audit/api/v1/${path}`).expect(status);
    expect(problem.safeParse(body)).toMatchObject({ success: true });
  }
});
