// Functions given to expectTypeOf are checked by the compiler and never run.
import { expectTypeOf } from 'expect-type';
import {
  DataTypes,
  Model,
  Sequelize,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
} from 'sequelize';
import {
  createAuditLog,
  getAuditLog,
  type AuditedModel,
  type AuditLog,
  type AuditLogOptions,
  type RegistrationOptions,
  type SnapshotModel,
} from 'sequelize-auditlog';

class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: string;
  declare total: string | null;
  declare paidAt: CreationOptional<Date | null>;
}

const sequelize = new Sequelize('postgres://nobody@localhost/nowhere');
const auditLog = createAuditLog(sequelize);
const { registerAudited } = auditLog;

test('attribute names in options are checked: a typo does not compile', () => {
  expectTypeOf(() => {
    registerAudited(Order, { include: ['status'], exclude: ['total'], repr: '{id}' });
    registerAudited(Order, { mask: ['total'], labels: { status: 'Status' } });
    registerAudited(Order, { mask: { total: true, status: { keepLast: 4 } } });
    registerAudited(Order, { snapshots: { indexes: [{ fields: ['status', 'paidAt'] }] } });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { include: ['stauts'] });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { exclude: ['stauts'] });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { mask: ['stauts'] });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { mask: { stauts: true } });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { labels: { stauts: 'Status' } });
    // @ts-expect-error a misspelt attribute
    registerAudited(Order, { snapshots: { indexes: [{ fields: ['stauts'] }] } });
  }).toBeFunction();
});

test('so are keys and values of options', () => {
  expectTypeOf(() => {
    // @ts-expect-error a misspelt option
    registerAudited(Order, { exlude: [] });
    // @ts-expect-error an unknown action
    registerAudited(Order, { actions: ['destroy'] });
    // @ts-expect-error false is no mask
    registerAudited(Order, { mask: { total: false } });
    // @ts-expect-error a text is no list
    registerAudited(Order, { include: 'status' });
    // @ts-expect-error an instance is no model
    registerAudited(Order.build());
    // @ts-expect-error a misspelt option
    createAuditLog(sequelize, { tabelName: 'x' });
    // @ts-expect-error a text is no pattern
    createAuditLog(sequelize, { mask: 'password' });
    // @ts-expect-error a misspelt key
    createAuditLog(sequelize, { actor: { resolver: () => null } });
  }).toBeFunction();
});

test('lists may be readonly, and options prepared elsewhere', () => {
  expectTypeOf(() => {
    const exclude = ['total'] as const;
    const options: RegistrationOptions<Order> = { exclude, actions: ['create'] as const };
    registerAudited(Order, options);
    const forLog: AuditLogOptions = {
      requireActor: true,
      actor: { model: Order, resolve: (req) => req.user as { id: number } },
    };
    createAuditLog(sequelize, forLog);
  }).toBeFunction();
});

test('a model without types takes any names', () => {
  expectTypeOf(() => {
    const Loose = sequelize.define('Loose', { a: DataTypes.TEXT });
    registerAudited(Loose, { exclude: ['a'] });
  }).toBeFunction();
});

test('the handle is typed by the model', () => {
  expectTypeOf(() => {
    const orders = registerAudited(Order, { snapshots: true });
    expectTypeOf(orders).toEqualTypeOf<AuditedModel<Order>>();
    expectTypeOf(orders.Snapshot).toEqualTypeOf<SnapshotModel<Order>>();
    expectTypeOf(orders.masked).toEqualTypeOf<readonly string[]>();
    expectTypeOf(auditLog.audited(Order)).toEqualTypeOf<AuditedModel<Order>>();
    // @ts-expect-error the list is the library's own
    orders.masked.push('total');
  }).toBeFunction();
});

test('every member of the log may be destructured, typed', () => {
  const { LogEntry, auditMiddleware, registerAll, sync, on } = auditLog;
  expectTypeOf(LogEntry.forModel).toBeFunction();
  expectTypeOf(auditMiddleware).returns.toBeVoid();
  expectTypeOf(registerAll).returns.toEqualTypeOf<readonly AuditedModel[]>();
  expectTypeOf(sync).returns.toEqualTypeOf<Promise<void>>();
  expectTypeOf(on).toBeFunction();
  expectTypeOf(getAuditLog(sequelize)).toEqualTypeOf<AuditLog | undefined>();
});
