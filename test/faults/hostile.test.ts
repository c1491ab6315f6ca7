import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import express, { type Express, type Request } from 'express';
import { DataTypes, literal, type Model } from 'sequelize';
import { addAuditData, createAuditLog, setReason, withAuditContext, type LogEntry } from 'sequelize-auditlog';
import request from 'supertest';
import { entriesOf, entryOf, openAudited, rowOf } from '../support/audited';
import { testDatabase } from '../support/database';

const database = testDatabase();
const { sequelize } = database;
const Order = sequelize.define('Order', {
  note: DataTypes.TEXT,
  doc: DataTypes.JSON,
  payload: DataTypes.JSONB,
  lines: DataTypes.ARRAY(DataTypes.TEXT),
  docs: DataTypes.ARRAY(DataTypes.JSON),
});
const auditLog = createAuditLog(sequelize);
const orders = auditLog.registerAudited(Order, { repr: 'Order {note}', snapshots: true });

beforeAll(async () => {
  await openAudited(database, auditLog);
  await database.rows(`create table victims (id int)`);
});
afterAll(() => database.close());
afterEach(async () => {
  const [victims] = await database.rows<{ alive: boolean }>(
    `select to_regclass('victims') is not null as "alive"`,
  );
  if (!victims!.alive) throw new Error('SQL of a value was run');
});

const C0 = String.fromCodePoint(...Array.from({ length: 31 }, (_, at) => at + 1));

const TEXTS: Readonly<Record<string, string>> = {
  'a quote that ends the statement': `'); drop table victims; --`,
  'a double quote and a semicolon': `"; drop table victims; --`,
  'backslashes and quotes': String.raw`\'; drop table victims; -- \\' \x27 E'\''`,
  'binds and dollar quotes': `$1 $17 $$; drop table victims; $$ $tag$ :name ? ??`,
  comments: `/* */ -- */ /* /* */ #\n--`,
  'C0 controls, DEL and C1': `${C0}\x7f\x80\x9f`,
  NUL: 'a\0b\0',
  'lone surrogates': 'x\udc00\ud800y\ud83d',
  'characters of 4 bytes': '😀𝔘\u{10ffff}',
  'bidi, BOM and line separators': '\u202eabc\u2066\ufeff\u2028\u2029',
  HTML: `<script>alert(1)</script><img src=x onerror="x">&#x27;{{7*7}}\${7*7}`,
  'names of prototypes': '__proto__',
  'percent and printf': '%00%s%n%1$s%zz{0}',
  JSON: String.raw`{"a":"\u0000\ud800"}\u0000`,
  '10 kB': 'ä😀"\\\''.repeat(900),
  spaces: ' \t\r\n ',
};
const texts = Object.entries(TEXTS).map(([name, text]) => [name, text] as const);

/** Lone surrogates as the driver sends them. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** What PostgreSQL can hold of a text. */
function storable(text: string): string {
  return wellFormed(text.split('\0').join(''));
}

function firstUnits(text: string, max: number): string {
  return storable(text.slice(0, max).replace(/[\ud800-\udbff]$/, (last) => (text.length > max ? '' : last)));
}

function expectBounded(entry: LogEntry): void {
  for (const name of ['actorId', 'actorLabel', 'actorType', 'objectRepr'] as const) {
    expect(Array.from(entry[name] ?? '').length).toBeLessThanOrEqual(255);
  }
  expect(entry.correlationId ?? 'none').toMatch(/^[A-Za-z0-9._:/+=-]{1,128}$/);
  expect(entry.request ?? '').toMatch(/^[^\p{Cc}]{0,2048}$/u);
  expect(Buffer.byteLength(JSON.stringify(entry.additionalData))).toBeLessThanOrEqual(65_536);
}

interface UserRequest extends Request {
  user?: unknown;
}

/** Takes everything that an entry is made of from the request's body. */
function gullible(): Express {
  const app = express();
  app.use(auditLog.auditMiddleware, express.json({ limit: '2mb' }));
  app.use((req: UserRequest, _res, next) => {
    const { text } = req.body as { text: string };
    req.user = { id: text, label: text, type: text };
    setReason(text);
    addAuditData({ [text]: text, nested: [{ [text]: [text] }] });
    next();
  });
  app.post('/orders', async (req, res) => {
    const { text, attributes } = req.body as { text: string; attributes: Record<string, unknown> };
    await Order.create(attributes, { audit: { additionalData: { call: text } } });
    res.sendStatus(201);
  });
  return app;
}

test.each(texts)('17 24 43 the context holds %s as it came, within its bounds', async (_name, text) => {
  const post = () => request(gullible()).post('/orders').send({ text, attributes: {} }).expect(201);
  const entry = await entryOf(auditLog, post);
  const actor = firstUnits(text, 255);
  const known = actor.trim() === '' ? null : actor;
  expect([entry.actorId, entry.actorLabel, entry.actorType]).toEqual([known, known, known]);
  const kept = storable(text);
  expect(entry.reason).toBe(kept);
  expect(Object.entries(entry.additionalData!)).toEqual(
    expect.arrayContaining([
      [kept, kept],
      ['nested', [Object.fromEntries([[kept, [kept]]])]],
      ['call', kept],
    ]),
  );
  expectBounded(entry);
});

test.each(texts)('24 43 attributes hold %s exactly as the row does', async (_name, hostile) => {
  // Sequelize itself writes NUL as a backslash and a zero, and jsonb refuses it, audited or not.
  const text = hostile.split('\0').join('');
  const sent = wellFormed(text);
  const attributes = {
    note: text,
    payload: { [sent]: [sent] },
    doc: { [text]: text },
    lines: [text, `{"${text}",}`],
  };
  const entry = await entryOf(auditLog, () =>
    request(gullible()).post('/orders').send({ text: 'u', attributes }).expect(201),
  );
  const row = (await rowOf(Order, entry.objectPk))!;
  expect(entry.changes!['note']).toEqual([null, sent]);
  expect(entry.changes!['payload']).toEqual([null, row['payload']]);
  expect(entry.changes!['lines']).toEqual([null, [sent, `{"${sent}",}`]]);
  expect(entry.objectRepr).toBe(Array.from(`Order ${sent}`).slice(0, 255).join(''));
});

test.each(texts)(
  '24 41 updates and their conditions hold %s, by binds and by literals',
  async (_name, hostile) => {
    const text = storable(hostile);
    const order = await Order.create({ note: 'before' });
    const id = order.get('id') as number;
    const entries = await entriesOf(auditLog, async () => {
      await order.update({ note: text, lines: [text] });
      await Order.update({ note: 'after' }, { where: { note: text, id } });
      await sequelize.query('update "Orders" set "note" = :text where "id" = :id', {
        replacements: { text, id },
      });
      await Order.destroy({ where: { note: text, id } });
    });
    expect(entries.map(({ changes }) => changes!['note'])).toEqual([
      ['before', text],
      [text, 'after'],
      ['after', text],
      [text, null],
    ]);
    const versions = await orders.versions(id, { order: [['historyId', 'ASC']] });
    expect(versions.map((version) => version.get('note'))).toEqual(['before', text, 'after', text, text]);
  },
);

function unusualData(): Record<string, unknown> {
  const circle: Record<string, unknown> = { name: 'circle' };
  circle['self'] = circle;
  const throwing = {
    get boom(): never {
      throw new Error('boom');
    },
    fine: 1,
  };
  const refusing = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no keys');
      },
    },
  );
  const hostileJson = JSON.parse(
    '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"toString":1}',
  ) as object;
  const rest = {
    big: 10n ** 30n,
    nan: Number.NaN,
    date: new Date(Number.NaN),
    symbol: Symbol('s'),
    map: new Map([[1, 2]]),
    buffer: Buffer.alloc(9),
  };
  return { circle, throwing, refusing, hostileJson, ...rest, absent: [undefined, 1] };
}

test('24 43 46 additional data that JSON cannot hold fails no write and distorts none of its neighbours', async () => {
  const entry = await entryOf(auditLog, () =>
    withAuditContext({ additionalData: unusualData() }, () => Order.create({})),
  );
  const stored = entry.additionalData!;
  expect(stored).toMatchObject({
    circle: { name: 'circle', self: '[Circular]' },
    throwing: { boom: '[Unserializable]', fine: 1 },
    refusing: '[Unserializable]',
    big: '1000000000000000000000000000000',
    nan: 'NaN',
    map: {},
    buffer: { bytes: 9 },
    absent: [null, 1],
  });
  expect(JSON.stringify(stored['hostileJson'])).toContain('"__proto__":{"isAdmin":true}');
  expect(({} as { isAdmin?: true }).isAdmin).toBeUndefined();
});

function nested(depth: number): object {
  let value: object = { end: true };
  for (let level = 0; level < depth; level += 1) value = { down: [value] };
  return value;
}

test('24 deep and large data is stored within 64 kB, with the write', async () => {
  const deep = await entryOf(auditLog, () =>
    withAuditContext({ additionalData: nested(20_000) as never }, () => Order.create({})),
  );
  const large = await entryOf(auditLog, () =>
    Order.create({}, { audit: { additionalData: { big: '😀'.repeat(1e6) } } }),
  );
  expect(JSON.stringify(deep.additionalData)).toContain('[Too deep]');
  expect(large.additionalData).toEqual({ truncated: true, bytes: 4_000_010 });
  expectBounded(deep);
});

test.each<[string, unknown]>([
  ['an object without prototype', Object.assign(Object.create(null) as object, { id: 7, label: 'ann' })],
  [
    'a proxy whose traps throw',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
      },
    ),
  ],
  ['a key that is an object', { id: { toString: () => 'x' } }],
  ['a BigInt beyond 64 bits', 2n ** 80n],
  ['minus zero', -0],
  ['a date', new Date(0)],
])('12 24 a user that is %s breaks no write', async (_name, user) => {
  const app = express();
  app.use((req: UserRequest, _res, next) => {
    req.user = user;
    next();
  }, auditLog.auditMiddleware);
  app.use(async (_req, res) => void res.json(await Order.create({})));
  const entry = await entryOf(auditLog, () => request(app).post('/').expect(200));
  expectBounded(entry);
  expect(entry.actorId).toBe(
    { 'an object without prototype': '7', 'a BigInt beyond 64 bits': String(2n ** 80n), 'minus zero': '0' }[
      _name
    ] ?? null,
  );
});

/** The head of a request, byte by byte, as no client library would send it. */
async function postRaw(path: Buffer | string, headers: readonly (Buffer | string)[]): Promise<string> {
  const app = express();
  app.set('trust proxy', true);
  app.use(auditLog.auditMiddleware);
  app.use(async (_req: Request, res: express.Response) => {
    await Order.create({ note: 'raw' });
    res.status(201).end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const head = headers.flatMap((header) => [Buffer.from(header as string), Buffer.from('\r\n')]);
  socket.write(
    Buffer.concat([
      Buffer.from('POST '),
      Buffer.from(path as string),
      Buffer.from(' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'),
      ...head,
      Buffer.from('\r\n'),
    ]),
  );
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  await new Promise((resolve) => server.close(resolve));
  return Buffer.concat(chunks).toString('latin1').split('\r\n')[0] ?? '';
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

test.each<[string, Buffer | string, readonly (Buffer | string)[]]>([
  ['a correlation id of 10 kB', '/', [`X-Request-Id: ${'a'.repeat(10_000)}`]],
  ['a correlation id of SQL', '/', [`X-Request-Id: '; drop table victims; --`]],
  ['a correlation id of HTML', '/', ['X-Request-Id: <script>alert(1)</script>']],
  ['a correlation id of raw bytes', '/', [latin('X-Request-Id: \xff\xfe\xc3\x28')]],
  ['two correlation ids', '/', ['X-Request-Id: a', 'X-Request-Id: b']],
  ['an empty correlation id', '/', ['X-Request-Id:']],
  [
    'forwarding headers of rubbish',
    '/',
    [latin(`X-Forwarded-For: \xff,'; drop table victims,,::ffff:999.1.1.1`), 'Forwarded: for=";--"'],
  ],
  ['a forwarded zone and port', '/', ["X-Forwarded-For: fe80::1%'--, [::1]:99999"]],
  ['a path of 12 kB', `/${'%f0'.repeat(4000)}`, []],
  ['a path of invalid UTF-8', '/%c3%28%ff%00%zz%0d%0a%ed%a0%80', []],
  ['a path of SQL and HTML', `/'%20or%20''='/<script>/"--?token=hush#hush`, []],
  ['an absolute URL with a password', 'http://ann:hush@evil.example/x?token=hush', []],
])(
  '16 17 24 a request with %s is written and recorded, cleaned and within bounds',
  async (_name, path, headers) => {
    const entry = await entryOf(auditLog, async () =>
      expect(await postRaw(path, headers)).toContain(' 201 '),
    );
    expectBounded(entry);
    expect(entry.actorId).toBeNull();
    expect(entry.request).toMatch(/^POST \//);
    expect([entry.remoteAddr ?? 'none', entry.correlationId]).toEqual([
      expect.not.stringMatching(/['%\]]/),
      expect.stringMatching(/^[a-f0-9-]{36}$/),
    ]);
    expect(JSON.stringify(entry)).not.toContain('hush');
  },
);

test('17 a header that smuggles a line break is refused by the server, and nothing is written', async () => {
  const entries = await entriesOf(auditLog, async () => {
    expect(await postRaw('/', ['X-Request-Id: a\rSet-Cookie: x=1'])).toContain(' 400 ');
    expect(await postRaw('/', ['X-Request-Id: a\0b'])).toContain(' 400 ');
  });
  expect(entries).toEqual([]);
});

const DOCUMENTS: readonly string[] = [
  String.raw`{"a":"\u0000"}`,
  String.raw`["\ud800"]`,
  String.raw`["\ude00\ud83d"]`,
  String.raw`["\uD83D\uDE00", "\u00e9"]`,
  String.raw`{"path":"C:\\u0000\\ud800"}`,
  String.raw`["\\\u0000"]`,
  String.raw`["\\\\u0000\\"]`,
  '{"sha":"deadbeefe0123456789e98765e00000"}',
  '["1e400000"]',
  `["${'7'.repeat(400)}"]`,
  '{"n":1e400000}',
  '[-1E+999999]',
  '[1e-99999]',
  '[1e300, 12345678901234567890123456789, 0.10000000000000000000001]',
  '{"a":1,"a":{"b":2,"b":3}}',
  '{"__proto__":{"isAdmin":true},"":""}',
  String.raw`"\"\\\/\b\f\n\r\t"`,
  `${'['.repeat(900)}${']'.repeat(900)}`,
  '  "padded"  ',
  'true',
];

/** The document as jsonb holds it, or as a JSON string of its text where jsonb refuses it. */
async function expectedOf(document: string): Promise<string> {
  const fit = database.rows<{ text: string }>('select $1::jsonb::text as "text"', [document]);
  const unfit = () =>
    database.rows<{ text: string }>('select to_jsonb($1::text)::text as "text"', [document]);
  const [row] = await fit.catch(unfit);
  return row!.text;
}

async function storedDocs(entry: LogEntry): Promise<unknown[]> {
  const sql = `select (changes->'doc'->1)::text as "doc", (changes->'docs'->1)::text as "docs" from audit_log_entries where id = $1`;
  const [row] = await database.rows<{ doc: string; docs: string }>(sql, [entry.id]);
  return [row!.doc, row!.docs];
}

test.each(DOCUMENTS)(
  '41 43 44 46 the JSON document %p is stored as it is where jsonb can hold it, else as its text',
  async (document) => {
    const value = sequelize.escape(document);
    const order = await Order.create({});
    const update = () =>
      order.update({ doc: literal(`${value}::json`), docs: literal(`array[${value}::json, null]`) });
    const expected = await expectedOf(document);
    expect(await storedDocs(await entryOf(auditLog, update))).toEqual([expected, `[${expected}, null]`]);
    expect(await entriesOf(auditLog, () => order.update({ doc: literal(`${value}::json`) }))).toEqual([]);
    expect((await entryOf(auditLog, () => order.destroy())).action).toBe('delete');
  },
);

test('41 what jsonb refuses fails the write as it does without auditing', async () => {
  const attempts = [{ payload: { a: '\0' } }, { payload: { a: '\ud800' } }];
  for (const attributes of attempts) {
    const audited: unknown = await Order.create(attributes).catch((error: unknown) => error);
    const plain: unknown = await Order.create(attributes, { audit: false }).catch((error: unknown) => error);
    expect([(audited as Error).name, (audited as Error).message]).toEqual([
      (plain as Error).name,
      (plain as Error).message,
    ]);
    expect([attributes, audited]).toEqual([attributes, expect.any(Error)]);
  }
});

test('41 44 entries and versions give a written value back unchanged through JavaScript', async () => {
  const doc = { 'a\0': '\ud800', n: [0.1, 1e21, -0, 9007199254740991], ключ: null };
  const order: Model = await Order.create({ doc, note: '1e400', lines: ['007', '1e400', 'null', ''] });
  const [entry] = await orders.entries(order);
  const [version] = await orders.versions(order);
  expect(entry!.changes!['doc']).toEqual([null, JSON.stringify(doc)]);
  expect(version!.get('doc')).toEqual(JSON.parse(JSON.stringify(doc)));
  expect([entry!.changes!['note'], entry!.changes!['lines']]).toEqual([
    [null, '1e400'],
    [null, ['007', '1e400', 'null', '']],
  ]);
});
