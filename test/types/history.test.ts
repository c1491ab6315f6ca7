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
import type { AuditError } from 'sequelize-auditlog';
import {
  createAuditLog,
  isAuditError,
  type AuditErrorCode,
  type Changes,
  type DisplayChange,
  type HistoryType,
  type LogEntry,
  type Snapshot,
} from 'sequelize-auditlog';

class Order extends Model<InferAttributes<Order>, InferCreationAttributes<Order>> {
  declare id: CreationOptional<number>;
  declare status: string;
  declare total: string | null;
}

const sequelize = new Sequelize('postgres://nobody@localhost/nowhere');
Order.init({ status: DataTypes.TEXT, total: DataTypes.DECIMAL } as never, { sequelize });
const auditLog = createAuditLog(sequelize);
const { LogEntry: Entries } = auditLog;
const orders = auditLog.registerAudited(Order, { snapshots: true });

test('LogEntry.findAll and the finders give entries', () => {
  expectTypeOf<ReturnType<typeof Entries.findAll<LogEntry>>>().resolves.toEqualTypeOf<LogEntry[]>();
  expectTypeOf(async () => {
    const [entry] = await Entries.findAll({ where: { action: 'update' }, order: [['id', 'DESC']] });
    expectTypeOf(entry!).toEqualTypeOf<LogEntry>();
    expectTypeOf(await Entries.forObject(Order.build())).toEqualTypeOf<LogEntry[]>();
    expectTypeOf(await Entries.forObject(Order, 7, { limit: 1, actors: true })).toEqualTypeOf<LogEntry[]>();
    expectTypeOf(await orders.entries({ id: 7 })).toEqualTypeOf<LogEntry[]>();
    expectTypeOf(await auditLog.logAccess([Order, 7])).toEqualTypeOf<LogEntry | null>();
  }).toBeFunction();
});

test('an entry tells its columns and texts', () => {
  expectTypeOf<LogEntry['id']>().toEqualTypeOf<string>();
  expectTypeOf<LogEntry['timestamp']>().toEqualTypeOf<Date>();
  expectTypeOf<LogEntry['changes']>().toEqualTypeOf<Changes | null>();
  expectTypeOf<LogEntry['actorId']>().toEqualTypeOf<string | null>();
  expectTypeOf<LogEntry['remotePort']>().toEqualTypeOf<number | null>();
  expectTypeOf<LogEntry['changedAttributes']>().toEqualTypeOf<string[]>();
  expectTypeOf<ReturnType<LogEntry['describe']>>().toEqualTypeOf<string>();
  expectTypeOf<ReturnType<LogEntry['displayChanges']>>().toEqualTypeOf<DisplayChange[]>();
  expectTypeOf<LogEntry['actor']>().toEqualTypeOf<Model | null | undefined>();
});

test('finders refuse what is no object and no option', () => {
  expectTypeOf(async () => {
    // @ts-expect-error a model alone is no object
    await Entries.forObject(Order);
    // @ts-expect-error an unknown column
    await Entries.findAll({ attributes: 7 });
    // @ts-expect-error a misspelt option
    await Entries.forModel(Order, { actor: true });
    // @ts-expect-error an instance is needed
    await Entries.forObjects(Order.build());
    // @ts-expect-error an action is needed
    await auditLog.log(Order.build(), {});
  }).toBeFunction();
});

test('versions have the attributes of the model, typed, and their own', () => {
  expectTypeOf(async () => {
    const [version] = await orders.versions(7);
    expectTypeOf(version!).toEqualTypeOf<Snapshot<Order>>();
    expectTypeOf(version!.status).toEqualTypeOf<string>();
    expectTypeOf(version!.total).toEqualTypeOf<string | null>();
    expectTypeOf(version!.historyType).toEqualTypeOf<HistoryType>();
    expectTypeOf(version!.historyUserId).toEqualTypeOf<string | null>();
    expectTypeOf(version!.toInstance()).toEqualTypeOf<Order>();
    expectTypeOf(await version!.prevRecord()).toEqualTypeOf<Snapshot<Order> | null>();
    expectTypeOf(version!.diffAgainst(version!).changedAttributes).toEqualTypeOf<string[]>();
    // @ts-expect-error an attribute that the model does not have
    void version!.stauts;
    await orders.Snapshot.findAll({ where: { status: 'x', historyType: '~' } });
  }).toBeFunction();
});

test('the past gives instances of the model', () => {
  expectTypeOf(async () => {
    expectTypeOf(await orders.asOf(new Date()).findByPk(7)).toEqualTypeOf<Order | null>();
    expectTypeOf(await orders.asOf('2026-01-01').findAll({ where: { status: 'x' } })).toEqualTypeOf<
      Order[]
    >();
    expectTypeOf(await orders.asOf(new Date()).count()).toEqualTypeOf<number>();
    // @ts-expect-error a number is no point in time
    orders.asOf(7);
    // @ts-expect-error include is for auditLog.asOf
    await orders.asOf(new Date()).findAll({ include: [Order] });
    const [version] = await orders.versions(7);
    const [entry] = await orders.entries(7);
    expectTypeOf(await orders.asOf(version!).findOne({ strict: true })).toEqualTypeOf<Order | null>();
    expectTypeOf(
      await orders.asOf(entry!).count({ where: { total: '1' }, strict: true }),
    ).toEqualTypeOf<number>();
    // @ts-expect-error an attribute that the model does not have
    await orders.asOf(new Date()).findAll({ where: { stauts: 'x' } });
    // @ts-expect-error nothing of the past can be locked
    await orders.asOf(new Date()).findOne({ lock: true });
    // @ts-expect-error a count is one number
    await orders.asOf(new Date()).count({ group: ['status'] });
    // @ts-expect-error a misspelt option
    await orders.asOf(new Date()).findAll({ strickt: true });
  }).toBeFunction();
});

test('the newest versions are versions', () => {
  expectTypeOf(async () => {
    const options = { where: { status: 'x', historyUserId: '7' }, limit: 10, actors: true } as const;
    expectTypeOf(await orders.latestOfEach(options)).toEqualTypeOf<Snapshot<Order>[]>();
    expectTypeOf(await orders.deleted()).toEqualTypeOf<Snapshot<Order>[]>();
    // @ts-expect-error an attribute that neither the model nor a version has
    await orders.deleted({ where: { historyUser: '7' } });
  }).toBeFunction();
});

test('errors have a code that the compiler knows', () => {
  expectTypeOf<AuditError['code']>().toEqualTypeOf<AuditErrorCode>();
  expectTypeOf(() => {
    const error: unknown = null;
    if (isAuditError(error)) expectTypeOf(error).toEqualTypeOf<AuditError>();
    // @ts-expect-error no such code
    return (error as AuditError).code === 'ERR_AUDIT_NOTHING';
  }).toBeFunction();
});
