import { DataTypes, Model, Sequelize, type ModelStatic } from 'sequelize';
import { createAuditLog, getAuditLog, type AuditLogOptions } from 'sequelize-auditlog';
import { refusalOf } from '../support/audited';

function offline(): Sequelize {
  return new Sequelize('postgres://nobody@localhost/nowhere', { logging: false });
}

const sequelize = offline();
const auditLog = createAuditLog(sequelize);
const Order: ModelStatic<Model> = sequelize.define(
  'Order',
  {
    status: DataTypes.TEXT,
    total: DataTypes.DECIMAL,
    password: DataTypes.TEXT,
    shout: { type: DataTypes.VIRTUAL, get: () => 'HEY' },
  },
  { paranoid: true },
);

async function registrationRefusal(options: object): Promise<string> {
  const error = await refusalOf(() => auditLog.registerAudited(Order, options));
  return `${error.code}: ${error.message}`;
}

describe('every option of registerAudited', () => {
  test.each([
    ['include', 'status', 'an array of attribute names, got string "status"'],
    ['include', [7], 'an attribute name, got number "7"'],
    ['exclude', { status: true }, 'an array of attribute names, got an object (Object)'],
    ['exclude', [null], 'an attribute name, got null'],
    ['mask', 'status', 'a list of attribute names or an object, got string "status"'],
    ['mask', null, 'a list of attribute names or an object, got null'],
    ['labels', ['status'], 'an object of attribute: label, got an array of 1'],
    ['labels', null, 'an object of attribute: label, got null'],
    ['repr', 7, 'a text that is not empty, got number "7"'],
    ['repr', '', 'a text that is not empty, got string ""'],
    ['actions', 'create', 'a list of create, update, delete, got string "create"'],
    ['actions', ['destroy'], 'a list of create, update, delete, got an array of 1'],
    ['associations', 'tags', 'an array of names, got string "tags"'],
    ['associations', [7], 'an array of names, got an array of 1'],
    ['modelName', 7, 'a text that is not empty, got number "7"'],
    ['modelName', ' ', 'a text that is not empty, got string " "'],
  ])(
    'K18 K21 K23 %s: %p is refused by name, with what was expected and given',
    async (option, value, expected) => {
      expect(await registrationRefusal({ [option]: value })).toBe(
        `ERR_AUDIT_INVALID_OPTION: registerAudited(Order): option "${option}" must be ${expected}.`,
      );
    },
  );

  test.each([
    [{ labels: { status: 7 } }, 'labels.status'],
    [{ mask: { status: false } }, 'mask.status'],
    [{ mask: { status: { keepLast: -1 } } }, 'mask.status'],
    [{ mask: { status: { keepLast: 1.5 } } }, 'mask.status'],
    [{ mask: { status: {} } }, 'mask.status'],
    [{ snapshots: { tableName: 7 } }, 'snapshots.tableName'],
    [{ snapshots: { tableName: 'a.b' } }, 'snapshots.tableName'],
    [{ snapshots: { tableName: 'a"b' } }, 'snapshots.tableName'],
    [{ snapshots: { tableName: 'ä'.repeat(32) } }, 'snapshots.tableName'],
    [{ snapshots: { indexes: [{ fields: ['status'], name: 7 }] } }, 'snapshots.indexes.name'],
    [{ snapshots: { snapshotName: '' } }, 'snapshots.snapshotName'],
    [{ snapshots: { snapshotName: 'Order' } }, 'snapshots.snapshotName'],
    [{ snapshots: { indexes: 'status' } }, 'snapshots.indexes'],
    [{ snapshots: { indexes: [7] } }, 'snapshots.indexes'],
    [{ snapshots: { indexes: [{ fields: 'status' }] } }, 'snapshots.indexes'],
    [{ snapshots: { indexes: [{ fields: [] }] } }, 'snapshots.indexes'],
  ])('a wrong part (%j) is refused as %s', async (options, option) => {
    const message = await registrationRefusal(options);
    expect(message).toContain(
      `ERR_AUDIT_INVALID_OPTION: registerAudited(Order): option "${option}" must be `,
    );
  });

  test.each([
    [{ exlude: [] }, 'unknown option "exlude". Did you mean "exclude"? Known options: include, exclude, '],
    [{ excluded: [] }, 'Did you mean "exclude"?'],
    [{ include_fields: [] }, 'unknown option "include_fields".'],
    [{ serialize_data: true }, 'unknown option "serialize_data".'],
    [{ snapshots: { tablename: 'x' } }, 'snapshots: unknown option "tablename". Did you mean "tableName"?'],
    [
      { mask: { status: { keeplast: 4 } } },
      'mask.status: unknown option "keeplast". Did you mean "keepLast"?',
    ],
  ])('K39 a misspelt or unknown key (%j) is refused', async (options, part) => {
    const message = await registrationRefusal(options);
    expect(message).toMatch(/^ERR_AUDIT_INVALID_OPTION: registerAudited\(Order\)/);
    expect(message).toContain(part);
  });

  test.each([
    [{ include: ['stauts'] }, 'include'],
    [{ exclude: ['stauts'] }, 'exclude'],
    [{ mask: ['stauts'] }, 'mask'],
    [{ mask: { stauts: true } }, 'mask'],
    [{ labels: { stauts: 'Status' } }, 'labels'],
    [{ repr: '{stauts}' }, 'repr'],
    [{ snapshots: { indexes: [{ fields: ['stauts'] }] } }, 'snapshots.indexes'],
  ])('a misspelt attribute (%j) is refused with a suggestion', async (options, option) => {
    expect(await registrationRefusal(options)).toBe(
      `ERR_AUDIT_UNKNOWN_ATTRIBUTE: registerAudited(Order): ${option} names "stauts", which is no attribute of the model. Did you mean "status"?`,
    );
  });

  test.each(['constructor', '__proto__', 'toString'])('%s is no attribute', async (name) => {
    expect(await registrationRefusal({ exclude: [name] })).toMatch(/^ERR_AUDIT_UNKNOWN_ATTRIBUTE/);
  });

  test.each([
    [{ include: ['shout'] }, 'VIRTUAL'],
    [{ exclude: ['shout'] }, 'VIRTUAL'],
    [{ include: ['deletedAt'] }, 'decides the action'],
    [{ exclude: ['deletedAt'] }, 'decides the action'],
    [{ mask: ['id'] }, 'primary key "id"'],
    [{ repr: '{status}', mask: ['status'] }, 'masked or not tracked'],
    [{ repr: '{status}', exclude: ['status'] }, 'masked or not tracked'],
    [{ repr: '{status}', include: ['total'] }, 'masked or not tracked'],
    [{ repr: '{password}' }, 'masked or not tracked'],
    [{ repr: '{shout}' }, 'VIRTUAL'],
  ])('an attribute that does not fit (%j) is refused', async (options, part) => {
    const message = await registrationRefusal(options);
    expect(message).toMatch(/^ERR_AUDIT_INVALID_OPTION/);
    expect(message).toContain(part);
  });

  test('a failed registration leaves the one before as it was', async () => {
    const Own = sequelize.define('Own', { a: DataTypes.TEXT, b: DataTypes.TEXT });
    const handle = auditLog.registerAudited(Own, { mask: ['a'] });
    await refusalOf(() => auditLog.registerAudited(Own, { mask: ['c'] }));
    expect(handle.masked).toEqual(['a']);
  });

  test('undefined means the default', () => {
    const Own = sequelize.define('Defaults', { a: DataTypes.TEXT });
    const nothing = {
      include: undefined,
      exclude: undefined,
      mask: undefined,
      repr: undefined,
      snapshots: undefined,
    };
    const handle = auditLog.registerAudited(Own, nothing as never);
    expect(handle.tracked).toEqual(['id', 'a', 'createdAt', 'updatedAt']);
  });

  test('lists are copied: the caller may change and freeze its own', async () => {
    const Own = sequelize.define('Copied', { a: DataTypes.TEXT, b: DataTypes.TEXT });
    const exclude = ['a'];
    const handle = auditLog.registerAudited(Own, { exclude, mask: Object.freeze(['b']) as never });
    exclude.push('b');
    expect(handle.tracked).toContain('b');
    expect(exclude).toEqual(['a', 'b']);
  });

  test('K35 snapshots takes nothing but a boolean or an object', async () => {
    for (const snapshots of ['yes', 1, null, ['tableName']]) {
      expect(await registrationRefusal({ snapshots })).toMatch(/^ERR_AUDIT_INVALID_OPTION: .*snapshots/);
    }
  });

  test.each([undefined, null, 'Order', {}, class {}, Order.build()])(
    'K27 a model that is %p is refused',
    async (model) => {
      const error = await refusalOf(() => auditLog.registerAudited(model as never));
      expect(error.code).toBe('ERR_AUDIT_INVALID_ARGUMENT');
      expect(error.message).toMatch(/^registerAudited: expected a Sequelize model, got /);
    },
  );

  test('a class whose init was not called is refused', async () => {
    class Early extends Model {}
    const error = await refusalOf(() => auditLog.registerAudited(Early));
    expect([error.code, error.message]).toEqual([
      'ERR_AUDIT_INVALID_ARGUMENT',
      expect.stringContaining('call init or define first'),
    ]);
  });

  test.each([7, 'x', []])('options that are %p are refused', async (options) => {
    const error = await refusalOf(() => auditLog.registerAudited(Order, options as never));
    expect(error.code).toBe('ERR_AUDIT_INVALID_OPTION');
    expect(error.message).toMatch(/^registerAudited\(Order\): expected an object of options, got /);
  });
});

async function creationRefusal(options: unknown): Promise<string> {
  const error = await refusalOf(() => createAuditLog(offline(), options as AuditLogOptions));
  return `${error.code}: ${error.message}`;
}

describe('every option of createAuditLog', () => {
  const User = sequelize.define('User', { email: DataTypes.TEXT });

  test.each<[object, string]>([
    [{ schema: 7 }, 'schema'],
    [{ tableName: {} }, 'tableName'],
    [{ actor: { model: 'User' } }, 'actor.model'],
    [{ actor: { model: class {} } }, 'actor.model'],
    [{ actor: { resolve: 'user' } }, 'actor.resolve'],
    [{ actor: { label: 7 } }, 'actor.label'],
    [{ actor: { model: User, label: 'emial' } }, 'actor.label'],
    [{ requireActor: 1 }, 'requireActor'],
    [{ correlationId: { header: '' } }, 'correlationId.header'],
    [{ correlationId: { header: true } }, 'correlationId.header'],
    [{ correlationId: { generate: 'uuid' } }, 'correlationId.generate'],
    [{ correlationId: { trust: true } }, 'correlationId.trust'],
    [{ remoteAddr: 'ip' }, 'remoteAddr'],
    [{ request: null }, 'request'],
    [{ mask: 'password' }, 'mask'],
    [{ mask: true }, 'mask'],
    [{ mask: ['password'] }, 'mask'],
    [{ preparedStatements: 'no' }, 'preparedStatements'],
  ])('K18 a wrong type (%p) is refused as %s', async (options, option) => {
    expect(await creationRefusal(options)).toMatch(
      new RegExp(
        `^ERR_AUDIT_INVALID_OPTION: createAuditLog: option "${option.replace('.', '\\.')}" must be .*, got .*\\.$`,
      ),
    );
  });

  test.each([
    [{ tabelName: 'x' }, 'unknown option "tabelName". Did you mean "tableName"?'],
    [{ requireActors: true }, 'unknown option "requireActors". Did you mean "requireActor"?'],
    [{ actor: { resolver: () => null } }, 'actor: unknown option "resolver". Did you mean "resolve"?'],
    [
      { correlationId: { headers: false } },
      'correlationId: unknown option "headers". Did you mean "header"?',
    ],
  ])('a misspelt key (%p) is refused with a suggestion', async (options, part) => {
    const message = await creationRefusal(options);
    expect(message).toMatch(/^ERR_AUDIT_INVALID_OPTION: createAuditLog/);
    expect(message).toContain(part);
  });

  test.each([[null], [7], ['x'], [[]]])('options that are %p are refused', async (options) => {
    expect(await creationRefusal(options)).toMatch(
      /^ERR_AUDIT_INVALID_OPTION: createAuditLog: expected an object of options/,
    );
  });

  test.each([{ actor: null }, { actor: 'user' }, { correlationId: null }, { correlationId: 'x-request-id' }])(
    'a group that is no object (%p) is refused',
    async (options) => {
      expect(await creationRefusal(options)).toMatch(
        /^ERR_AUDIT_INVALID_OPTION: createAuditLog: (actor|correlationId): expected an object/,
      );
    },
  );

  test('undefined means the default', () => {
    const own = offline();
    createAuditLog(own, { mask: undefined, tableName: undefined, actor: undefined } as never);
    const Account = own.define('Account', { password: DataTypes.TEXT });
    expect(getAuditLog(own)!.registerAudited(Account).masked).toEqual(['password']);
  });
});
