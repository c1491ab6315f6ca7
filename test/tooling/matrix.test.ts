import { testDatabase } from '../support/database';
import { matrix } from '../support/matrix';

const database = testDatabase();
beforeAll(() => database.open());
afterAll(() => database.close());

test('Express is the major that the project is named after', () => {
  const { version } = jest.requireActual<{ version: string }>(`express-v${matrix.express}/package.json`);
  expect(majorOfVersion(version)).toBe(matrix.express);
  expect(require('express')).toBe(require(`express-v${matrix.express}`));
});

test('PostgreSQL is the major that the project is named after (else set DATABASE_MAJOR)', () => {
  expect(database.serverMajor).toBe(matrix.postgresql);
});

test('each test file has a schema of its own, on every connection', async () => {
  const [row] = await database.rows('select current_schema()');
  const [answers] = await database.sequelize.query('select current_schema()');
  expect([row]).toEqual(answers);
  expect(row).toEqual({ current_schema: `t_express${matrix.express}_tooling_matrix` });
});

function majorOfVersion(version: string): number {
  return Number(version.split('.')[0]);
}
