import express from 'express';
import { createAuditLog, setActor } from 'sequelize-auditlog';
import request from 'supertest';
import { openAudited } from '../support/audited';
import { testDatabase } from '../support/database';
import { defineOrders, Order, User } from './orders';

const database = testDatabase();
defineOrders(database.sequelize);
const auditLog = createAuditLog(database.sequelize, { actor: { model: User } });
const { LogEntry } = auditLog;
auditLog.registerAudited(Order, { exclude: ['internalNotes'] });

beforeAll(() => openAudited(database, auditLog));
afterAll(() => database.close());

describe('order audit log', () => {
  test('create generates log entry', async () => {
    const order = await Order.create({});
    const entries = await LogEntry.forObject(order);
    expect(entries).toHaveLength(1);
    expect(entries[0]!.action).toBe('create');
  });

  test('update generates log entry with changes', async () => {
    const order = await Order.create({ status: 'pending' });
    order.status = 'shipped';
    await order.save();
    const [update] = await LogEntry.forObject(order, { where: { action: 'update' } });
    expect(update!.changes).toEqual({ status: ['pending', 'shipped'] });
  });

  test('excluded fields not logged', async () => {
    const order = await Order.create({ internalNotes: 'secret' });
    order.internalNotes = 'updated secret';
    await order.save();
    const entries = await LogEntry.forObject(order);
    expect(entries).toHaveLength(1);
    for (const entry of entries) expect(entry.changes).not.toHaveProperty('internalNotes');
  });

  test('actor captured from middleware', async () => {
    const user = await User.create({ email: 'ann@example.com' });
    const app = express().use(auditLog.auditMiddleware);
    app.post('/orders', async (_req, res) => {
      setActor(user);
      res.json(await Order.create({}));
    });
    const { body } = await request(app).post('/orders').expect(200);
    const [entry] = await LogEntry.forObject(Order, (body as { id: number }).id, { actors: true });
    expect((entry!.actor as User).id).toBe(user.id);
    expect(entry!.actorLabel).toBe('ann@example.com');
  });
});
