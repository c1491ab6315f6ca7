// The same models, audited in each way there is. A variant prepares its tables and says in which context its writes run.
import { createRequire } from 'node:module';
import { createAuditLog, withAuditContext } from 'sequelize-auditlog';
import { rowTriggers, statementTriggers } from './triggers.mjs';

const require = createRequire(import.meta.url);
const TABLES = [
  ['orders', 'Order'],
  ['parcels', 'Parcel'],
  ['items', 'Item'],
];
const CONTEXT = {
  actor: { id: '7', label: 'alice', type: 'user' },
  remoteAddr: '203.0.113.7',
  correlationId: '0f8fad5b-d9cb-469f-a165-70867728950e',
};
const plainly = (work) => work();

async function audited({ sequelize, Order, Parcel, Item }, snapshots) {
  const auditLog = createAuditLog(sequelize);
  for (const model of [Order, Parcel, Item]) auditLog.registerAudited(model, { snapshots });
  await sequelize.sync();
  await auditLog.sync();
  return (work) => withAuditContext(CONTEXT, work);
}

async function paperTrail({ sequelize, Order, Parcel, Item }) {
  const trail = require('sequelize-paper-trail').init(sequelize, { enableStrictDiff: true });
  trail.defineModels({});
  for (const model of [Order, Parcel, Item]) model.hasPaperTrail();
  await sequelize.sync();
  return plainly;
}

async function temporal({ sequelize, Order, Parcel, Item }, full) {
  const Temporal = require('sequelize-temporal');
  for (const model of [Order, Parcel, Item]) Temporal(model, sequelize, { full });
  await sequelize.sync();
  return plainly;
}

async function version({ sequelize, Order, Parcel, Item }) {
  const Version = require('sequelize-version');
  [Order, Parcel, Item].map((model) => new Version(model));
  await sequelize.sync();
  return plainly;
}

/** The triggers' context is set once a connection, the cheapest way there is. */
async function triggers({ sequelize }, statements) {
  const settings = [
    ['actor_id', '7'],
    ['actor_label', 'alice'],
    ['remote_addr', CONTEXT.remoteAddr],
    ['correlation_id', CONTEXT.correlationId],
  ];
  const sql = settings
    .map(([name, value]) => `select set_config('audit.${name}', '${value}', false)`)
    .join(';');
  sequelize.addHook('afterConnect', (connection) => connection.query(sql));
  await createAuditLog(sequelize).sync();
  await sequelize.sync();
  await sequelize.connectionManager.pool.destroyAllNow();
  for (const statement of statements(TABLES)) await sequelize.query(statement);
  return plainly;
}

/** By name: what it stores, and how it is set up; gives the function that runs work in its context. */
export const VARIANTS = {
  plain: { stores: 'nothing', open: ({ sequelize }) => sequelize.sync().then(() => plainly) },
  deltas: { stores: 'entries with old and new values', open: (on) => audited(on, false) },
  'deltas + versions': { stores: 'entries and full rows', open: (on) => audited(on, true) },
  'row trigger': { stores: 'entries with old and new values', open: (on) => triggers(on, rowTriggers) },
  'statement trigger': {
    stores: 'entries with old and new values',
    open: (on) => triggers(on, statementTriggers),
  },
  'sequelize-paper-trail': { stores: 'differences of single rows', open: paperTrail },
  'sequelize-temporal': { stores: 'old rows', open: (on) => temporal(on, false) },
  'sequelize-version': { stores: 'rows', open: version },
};
