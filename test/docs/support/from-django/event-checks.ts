import type { Server } from 'node:http';
import type { Transaction } from 'sequelize';
import type { LogEntry as Entry, ModelAuditedEvent } from 'sequelize-auditlog';
import { until } from '../../../support/until';
import { codeSpansOf } from '../markdown';
import { database } from './database';
import { tableRows, type Item } from './page';
import { type Exports, LogEntry, load, newOrder, newUser, type Check } from './world';

/** What the bus of the page is told while `work` runs. */
async function eventsOf(
  work: () => unknown,
  isEnough: (told: ModelAuditedEvent[]) => boolean,
): Promise<ModelAuditedEvent[]> {
  const { eventBus } = load('domain-events.ts') as { eventBus: NodeJS.EventEmitter };
  load('audit-events.ts');
  const told: ModelAuditedEvent[] = [];
  const listen = (event: ModelAuditedEvent): void => void told.push(event);
  eventBus.on('modelAudited', listen);
  await work();
  await until(() => isEnough(told));
  eventBus.off('modelAudited', listen);
  return told;
}

async function theEvent(_: Exports, item: Item): Promise<void> {
  const [told] = await eventsOf(newOrder, (all) => all.length > 0);
  const here = tableRows(item.text, 'here').flatMap(([, cell = '']) => codeSpansOf(cell));
  expect(here.toSorted()).toEqual(Object.keys(told!).toSorted());
}

async function emitting(): Promise<void> {
  const order = await newOrder();
  const work = async (transaction: Transaction): Promise<void> => {
    await order.update({ status: 'paid' }, { transaction });
    throw new Error('rolled back');
  };
  const told = await eventsOf(
    async () => {
      await database.sequelize.transaction(work).catch(() => undefined);
      await order.reload();
      await order.update({ status: 'shipped', total: '1' });
    },
    (all) => all.some(({ action, changedFields }) => action === 'update' && changedFields.includes('total')),
  );
  const updates = told.filter(({ action }) => action === 'update');
  expect(updates.map(({ changedFields }) => changedFields)).toEqual([['status', 'total']]);
}

async function starting({ start }: Exports): Promise<void> {
  const server = (await start(0)) as Server;
  expect(
    server.listening || (await new Promise((resolve) => server.once('listening', () => resolve(true)))),
  ).toBe(true);
  await new Promise((resolve) => server.close(resolve));
}

async function following({ follow }: Exports): Promise<void> {
  const stop = new AbortController();
  const lines: string[] = [];
  const order = await newOrder();
  const [{ id }] = (await LogEntry.forObject(order)) as [Entry];
  const before = await LogEntry.count();
  await follow(undefined, stop.signal, (line: string) => {
    lines.push(line);
    if (lines.length === before) stop.abort();
  });
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toContain(id);
}

async function alerting(): Promise<void> {
  const { eventBus } = load('domain-events.ts') as { eventBus: NodeJS.EventEmitter };
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const user = await newUser();
  await newOrder();
  await user.update({ role: 'admin' }, { audit: { actor: 'ada' } });
  await until(() => warned.mock.calls.length > 0);
  expect(warned.mock.calls).toEqual([
    [
      'sensitive_model_changed',
      { modelName: 'User', instanceId: String(user.id), action: 'update', changedById: 'ada' },
    ],
  ]);
  warned.mockRestore();
  // Others would see its warnings.
  eventBus.removeAllListeners('modelAudited');
}

/** For blocks 25 to 29: domain events. */
export const EVENT_CHECKS: Readonly<Record<string, Check>> = {
  25: theEvent,
  26: emitting,
  27: starting,
  28: following,
  29: alerting,
};
