import { DataTypes } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { entryOf, openAudited } from '../support/audited';
import { testDatabase } from '../support/database';

const COLOURS = ['red', 'yellow', 'green'];
const database = testDatabase();
const { sequelize } = database;
const Light = sequelize.define('Light', {
  colour: DataTypes.ENUM(...COLOURS),
  colours: DataTypes.ARRAY(DataTypes.ENUM(...COLOURS)),
  short: DataTypes.STRING(255),
  long: DataTypes.TEXT,
});
const auditLog = createAuditLog(sequelize);
auditLog.registerAudited(Light);

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

type Values = Record<string, unknown>;

async function shownNew(values: Values, before: Values = {}): Promise<string> {
  const light = await Light.create(before);
  const entry = await entryOf(auditLog, () => light.update(values));
  return entry.displayChanges()[0]!.new;
}

describe('values of an ENUM', () => {
  test('M2 after an update the new value is shown', async () => {
    expect(await shownNew({ colour: 'green' }, { colour: 'red' })).toBe('green');
  });

  test('M2 also one that is no longer in the ENUM', async () => {
    const light = await Light.create({ colour: 'yellow' });
    const Later = database.createSequelize().define('Light', { colour: DataTypes.ENUM('red', 'green') });
    const later = createAuditLog(Later.sequelize!);
    later.registerAudited(Later);
    const [entry] = await later.LogEntry.forObject(Later, light.get('id') as number);
    expect(entry!.displayChanges()[0]).toMatchObject({ attribute: 'colour', new: 'yellow' });
  });

  test('M3 M6 several are joined', async () => {
    expect(await shownNew({ colours: COLOURS })).toBe('red, yellow, green');
  });

  test('M4 from a list to a single one shows the single one', async () => {
    expect(await shownNew({ colours: ['green'] }, { colours: COLOURS })).toBe('green');
  });

  test('M7 a list of one shows that one', async () => {
    expect(await shownNew({ colours: ['red'] })).toBe('red');
  });

  test('M8 an empty list is an empty text', async () => {
    expect(await shownNew({ colours: [] }, { colours: ['red'] })).toBe('');
  });
});

describe.each(['short', 'long'])('N3 a text in a %s column', (attribute) => {
  test('N1 of 255 characters is cut to 140 and three points', async () => {
    expect(await shownNew({ [attribute]: 'x'.repeat(255) })).toBe(`${'x'.repeat(140)}...`);
  });

  test.each([139, 140])('N2 of %i characters is shown whole', async (length) => {
    expect(await shownNew({ [attribute]: 'x'.repeat(length) })).toBe('x'.repeat(length));
  });

  test('N1 of 141 characters is cut', async () => {
    expect(await shownNew({ [attribute]: 'x'.repeat(141) })).toBe(`${'x'.repeat(140)}...`);
  });

  test('N1 is never cut through a character', async () => {
    expect(await shownNew({ [attribute]: `${'x'.repeat(139)}😀😀` })).toBe(`${'x'.repeat(139)}...`);
  });

  test('N5 N6 is whole in the changes', async () => {
    const light = await Light.create({});
    const entry = await entryOf(auditLog, () => light.update({ [attribute]: 'x'.repeat(255) }));
    expect(entry.changes).toEqual({ [attribute]: [null, 'x'.repeat(255)] });
  });
});
