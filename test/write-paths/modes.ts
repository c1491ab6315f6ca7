import { withAuditContext } from 'sequelize-auditlog';
import { differences, type Demand } from './compare';
import type { DatabaseImage } from './database-image';
import type { Fixture } from './fixture';
import type { CallOptions, WritePath } from './path';

type Writes = (options: CallOptions) => Promise<unknown>;

/** Runs the writes of a path in one way of transaction; gives all that is wrong with what they left. */
type Mode = (fixture: Fixture, writes: Writes, demand: Demand) => Promise<readonly string[]>;

async function autocommit(fixture: Fixture, writes: Writes, demand: Demand): Promise<readonly string[]> {
  const before = await fixture.read();
  await writes({});
  return fixture.compare(before, await fixture.read(), demand);
}

async function committed(fixture: Fixture, writes: Writes, demand: Demand): Promise<readonly string[]> {
  const before = await fixture.read();
  await fixture.bench.sequelize.transaction((transaction) => writes({ transaction }));
  return fixture.compare(before, await fixture.read(), demand);
}

async function rolledBack(fixture: Fixture, writes: Writes, demand: Demand): Promise<readonly string[]> {
  const before = await fixture.read();
  const transaction = await fixture.bench.sequelize.transaction();
  let inside: DatabaseImage;
  try {
    await writes({ transaction });
    inside = await fixture.read(transaction);
  } finally {
    await transaction.rollback();
  }
  return [...fixture.compare(before, inside, demand), ...differences(before, await fixture.read())];
}

/** Between two writes of the outer transaction, which alone must stay. */
async function savepointRolledBack(
  fixture: Fixture,
  writes: Writes,
  demand: Demand,
): Promise<readonly string[]> {
  const { sequelize, models } = fixture.bench;
  const before = await fixture.read();
  const within: string[] = [];
  await sequelize.transaction(async (outer) => {
    await models.Marker.create({ text: 'before' }, { transaction: outer });
    const inner = await sequelize.transaction({ transaction: outer });
    await writes({ transaction: inner });
    const inside = await fixture.read(inner);
    within.push(...fixture.compare(before, inside, { ...demand, entries: demand.entries + 1 }));
    await inner.rollback();
    await models.Marker.create({ text: 'after' }, { transaction: outer });
  });
  return [...within, ...fixture.compare(before, await fixture.read(), { ...demand, entries: 2 })];
}

export const MODES = {
  autocommit: { run: autocommit, promise: 'logs exactly what changed' },
  committed: { run: committed, promise: 'logs exactly what changed in a committed transaction' },
  'rolled back': { run: rolledBack, promise: 'leaves nothing of a rolled-back transaction' },
  savepoint: { run: savepointRolledBack, promise: 'leaves nothing of a rolled-back savepoint' },
} as const satisfies Record<string, { run: Mode; promise: string }>;

export type ModeName = keyof typeof MODES;

/** All that is wrong with what a path leaves in a mode; nothing when it is right. */
export async function wrongsOf(
  fixture: Fixture,
  path: WritePath,
  mode: ModeName,
): Promise<readonly string[]> {
  await fixture.clean();
  const writes = await path.prepare(fixture.bench);
  const demand = { entries: path.entries, actorId: 'tester-1', reason: path.name };
  const context = { actor: { id: demand.actorId }, reason: demand.reason };
  return withAuditContext(context, () => MODES[mode].run(fixture, writes, demand));
}
