import {
  checkServerVersion,
  readForeignKeys,
  readTable,
  schemaExists,
  serverVersion,
  type CatalogueQuery,
} from '../../lib/schema/catalogue';
import { testDatabase } from '../support/database';
import { matrix } from '../support/matrix';

const database = testDatabase();
const query: CatalogueQuery = async (sql, values) => ({ rows: await database.rows(sql, values) });

beforeAll(async () => {
  await database.open();
  await database.admin.query(`
    create type mood as enum ('sad', 'ok');
    create domain positive as numeric(8,2) check (value > 0);
    create domain tempered as mood;
    create table parents (a integer, b text, primary key (b, a));
    create table children (
      id bigint generated always as identity primary key,
      "odd ""name" varchar(20) not null,
      mood mood, moods mood[], price positive, temper tempered, tags text[], code char(3),
      twice integer generated always as (length(code) * 2) stored,
      parent_b text, parent_a integer,
      plain_a integer,
      foreign key (parent_b, parent_a) references parents (b, a) on delete cascade on update set null,
      unique (plain_a)
    );
    create table keepers (child_id bigint references children (id));
    create view "some" as select id from children;
    create table ruled (id integer);
    create rule quiet as on delete to ruled do instead nothing`);
});
afterAll(() => database.close());

describe('readTable', () => {
  test('a table that is not there is null', async () => {
    expect(await readTable(query, { schema: null, table: 'nowhere' })).toBeNull();
    expect(await readTable(query, { schema: 'no such schema', table: 'children' })).toBeNull();
  });

  test('a table is found by the search path, and by its schema', async () => {
    const byPath = await readTable(query, { schema: null, table: 'children' });
    expect(byPath).toMatchObject({ schema: database.schema, table: 'children', kind: 'r', hasRules: false });
    expect(await readTable(query, { schema: database.schema, table: 'children' })).toEqual(byPath);
  });

  test('columns come in table order with type, nullability and how they are generated', async () => {
    const { columns } = (await readTable(query, { schema: null, table: 'children' }))!;
    expect(columns.slice(0, 2)).toEqual([
      {
        name: 'id',
        type: 'bigint',
        plainType: 'bigint',
        valueType: 'int8',
        notNull: true,
        generated: false,
        identity: 'always',
        defaultSql: null,
      },
      {
        name: 'odd "name',
        type: 'character varying(20)',
        plainType: 'character varying',
        valueType: 'varchar',
        notNull: true,
        generated: false,
        identity: null,
        defaultSql: null,
      },
    ]);
    expect(columns.find((column) => column.name === 'twice')).toMatchObject({
      generated: true,
      type: 'integer',
    });
  });

  test('the plain type of enums is text, of a domain the type below it', async () => {
    const { columns } = (await readTable(query, { schema: null, table: 'children' }))!;
    const plain = Object.fromEntries(columns.map((column) => [column.name, column.plainType]));
    expect(plain).toMatchObject({
      mood: 'text',
      moods: 'text[]',
      price: 'numeric',
      temper: 'text',
      tags: 'text[]',
      code: 'bpchar',
    });
  });

  test('the value type is the internal name behind domains, enums and arrays', async () => {
    const { columns } = (await readTable(query, { schema: null, table: 'children' }))!;
    const types = Object.fromEntries(columns.map((column) => [column.name, column.valueType]));
    expect(types).toMatchObject({
      mood: 'enum',
      moods: 'enum[]',
      price: 'numeric',
      temper: 'enum',
      tags: 'text[]',
      code: 'bpchar',
    });
  });

  test('the primary key is in key order, whatever the order of columns', async () => {
    expect((await readTable(query, { schema: null, table: 'parents' }))!.primaryKey).toEqual(['b', 'a']);
    expect((await readTable(query, { schema: null, table: 'ruled' }))!.primaryKey).toEqual([]);
  });

  test('the names of indexes are listed', async () => {
    const { indexes } = (await readTable(query, { schema: null, table: 'children' }))!;
    expect(indexes).toEqual(['children_pkey', 'children_plain_a_key']);
  });

  test('rewrite rules are seen, the rule that makes a view is not one of them', async () => {
    expect(await readTable(query, { schema: null, table: 'ruled' })).toMatchObject({ hasRules: true });
    expect(await readTable(query, { schema: null, table: 'some' })).toMatchObject({
      kind: 'v',
      hasRules: false,
    });
  });
});

describe('readForeignKeys', () => {
  test('composite keys come with paired columns and actions, keys without action are left out', async () => {
    const keys = (await readForeignKeys(query)).filter((key) => key.child.schema === database.schema);
    expect(keys).toEqual([
      {
        name: 'children_parent_b_parent_a_fkey',
        child: { schema: database.schema, table: 'children', visible: true },
        childColumns: ['parent_b', 'parent_a'],
        parent: { schema: database.schema, table: 'parents', visible: true },
        parentColumns: ['b', 'a'],
        parentTypes: ['text', 'int4'],
        mayAlterChild: false,
        mayKeepParent: false,
        onDelete: 'c',
        onDeleteColumns: expect.arrayContaining(['parent_a', 'parent_b']) as string[],
        onUpdate: 'n',
      },
    ]);
  });

  test('a table outside the search path is not visible', async () => {
    const other = await database.createSchema('other');
    await database.admin.query(`create table "${other}".pets (owner_b text, owner_a integer,
      constraint pets_owner foreign key (owner_b, owner_a) references parents (b, a) on delete set default)`);
    const key = (await readForeignKeys(query)).find((each) => each.child.schema === other);
    expect(key).toMatchObject({
      name: 'pets_owner',
      child: { table: 'pets', visible: false },
      parent: { visible: true },
      onDelete: 'd',
      onUpdate: 'a',
    });
  });
});

describe('the server', () => {
  test('its version is a number', async () => {
    expect(Math.floor((await serverVersion(query)) / 10_000)).toBe(matrix.postgresql);
    await expect(checkServerVersion(query)).resolves.toBe(await serverVersion(query));
  });

  test('one older than 15 is refused, 15.0 is not', async () => {
    const answering =
      (version: number): CatalogueQuery =>
      async () => ({ rows: [{ version }] });
    await expect(checkServerVersion(answering(149_999))).rejects.toMatchObject({
      code: 'ERR_AUDIT_SERVER_VERSION',
    });
    await expect(checkServerVersion(answering(140_011))).rejects.toThrow('PostgreSQL 14.11');
    await expect(checkServerVersion(answering(150_000))).resolves.toBe(150_000);
  });

  test('a schema is there or not', async () => {
    expect(await schemaExists(query, database.schema)).toBe(true);
    expect(await schemaExists(query, `${database.schema}_not`)).toBe(false);
  });
});
