import { Fixture } from './fixture';
import { WRITE_PATHS } from './paths';
const fixture = new Fixture();
beforeAll(() => fixture.open());
afterAll(() => fixture.close());
test('x', async () => {
  const p = WRITE_PATHS.find((p) => p.name === 'update with every type to the same')!;
  const act = await p.prepare(fixture.bench);
  await act({ logging: (s: string) => console.log(s.slice(0, 3000)) } as never);
  console.log(await fixture.database.rows('select changes from audit_log_entries order by id desc limit 1'));
  const q = WRITE_PATHS.find((p) => p.name === 'bulkCreate with every type')!;
  const act2 = await q.prepare(fixture.bench);
  await act2({ audit: false, logging: (s: string) => console.log(s.slice(0, 3000)) } as never).catch((e) => console.log('PLAIN', e.message, e.sql.slice(0,2000)));
});
