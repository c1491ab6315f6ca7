// A schema with a long history of its own, and those who read it.
import { Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { fillHistory } from './history-fixture.mjs';
import { defineHistoryModels } from './history-models.mjs';

/** @param logged what is told of every statement */
function connect(schema, logged) {
  const sequelize = new Sequelize(process.env.DATABASE_URL, {
    logging: (sql, options) => logged(sql.replace(/^Execut(?:ing|ed) \([^)]*\): /, ''), options),
    dialectOptions: { options: `-c search_path=${schema}` },
  });
  return { sequelize, auditLog: createAuditLog(sequelize), ...defineHistoryModels(sequelize) };
}

/** The tables, filled, and two audit logs over them: one with versions, and one that has entries only. */
export async function createHistory(schema, sizes, logged) {
  const history = connect(schema, logged);
  const { sequelize, auditLog, Customer, Order, OrderItem } = history;
  await sequelize.query(`create schema if not exists ${schema}`);
  for (const model of [Customer, OrderItem]) auditLog.registerAudited(model, { snapshots: true });
  const orders = auditLog.registerAudited(Order, { snapshots: true });
  await sequelize.sync();
  await auditLog.sync();
  await fillHistory(sequelize, sizes);
  const other = connect(schema, logged);
  const deltas = other.auditLog.registerAudited(other.Order);
  const close = () => Promise.all([sequelize.close(), other.sequelize.close()]);
  return { ...history, orders, deltas, LogEntry: auditLog.LogEntry, close };
}
