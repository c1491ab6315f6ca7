import { QueryTypes, type Model } from 'sequelize';
import { path, pathOver, type Bench, type CallOptions, type WritePath } from '../path';

const NOW = new Date('2024-05-06T07:08:09.123Z');

async function two({ models }: Bench): Promise<Model[]> {
  return models.Country.bulkCreate([
    { iso: 'DE', name: 'x' },
    { iso: 'FR', name: 'y' },
  ]);
}

function over(
  name: string,
  entries: number,
  act: (bench: Bench, options: CallOptions) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, two, act);
}

/** A raw statement over the two countries. */
function raw(name: string, entries: number, sql: string, given: object = {}): WritePath {
  return over(name, entries, ({ sequelize }, options) => sequelize.query(sql, { ...options, ...given }));
}

const QUERY_INTERFACE: readonly WritePath[] = [
  path('queryInterface.bulkInsert', 2, ({ sequelize }, options) =>
    sequelize.getQueryInterface().bulkInsert(
      'Accounts',
      [
        { name: 'a', age: 1, createdAt: NOW, updatedAt: NOW },
        { name: 'b', password: 'p', createdAt: NOW, updatedAt: NOW },
      ],
      options,
    ),
  ),
  over('queryInterface.bulkUpdate', 2, ({ sequelize }, options) =>
    sequelize.getQueryInterface().bulkUpdate('Countries', { name: 'z' }, {}, options),
  ),
  over('queryInterface.bulkUpdate with a condition', 1, ({ sequelize }, options) =>
    sequelize.getQueryInterface().bulkUpdate('Countries', { name: 'z' }, { iso: 'DE' }, options),
  ),
  over('queryInterface.bulkDelete', 1, ({ sequelize }, options) =>
    sequelize.getQueryInterface().bulkDelete('Countries', { iso: 'DE' }, options),
  ),
  over('queryInterface.bulkDelete of all rows', 2, ({ sequelize }, options) =>
    sequelize.getQueryInterface().bulkDelete('Countries', {}, options),
  ),
];

const STAMPS = `'2024-01-01', '2024-01-01'`;

const STATEMENTS: readonly WritePath[] = [
  raw(
    'raw INSERT',
    1,
    `INSERT INTO "Countries" ("iso", "name", "createdAt", "updatedAt") VALUES ('IT', 'i', ${STAMPS})`,
  ),
  raw(
    'raw INSERT that returns',
    1,
    `insert into "Countries" (iso, "createdAt", "updatedAt") values ('IT', ${STAMPS}) returning iso`,
  ),
  raw(
    'raw INSERT from a query',
    2,
    `insert into "Countries" select iso || '2', name, "createdAt", now() from "Countries"`,
  ),
  raw(
    'raw INSERT that does nothing on conflict',
    1,
    `insert into "Countries" (iso, "createdAt", "updatedAt") values ('DE', ${STAMPS}), ('IT', ${STAMPS}) on conflict do nothing`,
  ),
  raw(
    'raw INSERT that updates on conflict',
    2,
    `insert into "Countries" (iso, name, "createdAt", "updatedAt") values ('DE', 'n', ${STAMPS}), ('IT', 'n', ${STAMPS})
     on conflict (iso) do update set name = excluded.name`,
  ),
  raw('raw UPDATE', 1, `UPDATE "Countries" SET "name" = 'z' WHERE "iso" = 'DE'`),
  raw('raw UPDATE of all rows', 2, `update "Countries" set name = upper(name);`),
  raw('raw UPDATE with replacements', 1, `update "Countries" set name = :name where iso = :iso`, {
    replacements: { name: `q'"$1`, iso: 'FR' },
    type: QueryTypes.UPDATE,
  }),
  raw('raw UPDATE with binds', 1, `update "Countries" set name = $1 where iso = $2`, {
    bind: [`q'"?`, 'FR'],
  }),
  raw('raw UPDATE that returns all', 2, `update "Countries" set name = 'z' returning *`),
  raw(
    'raw UPDATE with comments',
    1,
    `update /* all, $1 */ "Countries" -- where\n set name = 'z' /* of */ where iso = 'DE' -- end`,
  ),
  raw('raw UPDATE after a comment', 1, `/* app:shop */ update "Countries" set name = 'z' where iso = 'DE'`),
  raw(
    'raw UPDATE after a line comment',
    1,
    `-- app:shop\nupdate "Countries" set name = 'z' where iso = 'DE'`,
  ),
  raw(
    'raw UPDATE before a comment',
    1,
    `update "Countries" set name = 'z' where iso = 'DE' /*trace='00-1'*/`,
  ),
  raw(
    'raw UPDATE of unquoted columns in parentheses',
    1,
    `update "Countries" set (name) = row('z') where (iso = 'DE')`,
  ),
  raw('raw DELETE', 1, `DELETE FROM "Countries" WHERE "iso" = 'DE'`, { type: QueryTypes.DELETE }),
  raw('raw DELETE of all rows that returns', 2, 'delete from "Countries" returning iso'),
  raw('raw TRUNCATE', 2, 'truncate "Countries"'),
  raw('raw SELECT for update', 0, `select * from "Countries" for update`),
];

export const RAW_PATHS = [...QUERY_INTERFACE, ...STATEMENTS];
