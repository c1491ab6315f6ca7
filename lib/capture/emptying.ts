import type { WriteContext } from '../core/types';
import type { CatalogueTable } from '../schema/catalogue';
import { readTruncated } from '../schema/catalogue';
import { quoteTable, type TableName } from '../schema/quote';
import { compileEmptying } from '../statement/compile';
import { contextBinds, contextValues } from '../statement/context-binds';
import type { ActorPolicy } from './actor-policy';
import { auditedOf } from './cascade-graph';
import { atomically } from './driver-transaction';
import type { Environment } from './environment';
import type { AuditedTable, Registry } from './registry';
import { send, type DriverClient, type DriverResult } from './sequelize-adapter';

/** A TRUNCATE as Sequelize sends it. */
export interface Emptying {
  readonly sql: string;
  readonly table: TableName;
  readonly cascade: boolean;
  readonly context: WriteContext;
  readonly policy: ActorPolicy;
  readonly inTransaction: boolean;
}

/** The audited tables that a TRUNCATE empties, itself and with CASCADE all that refer to it. */
async function emptied(
  client: DriverClient,
  registry: Registry,
  { table, cascade }: Emptying,
): Promise<AuditedTable[]> {
  if (!cascade) return [registry.audited(table)].filter((each) => each !== null);
  const all: CatalogueTable[] = await readTruncated((text, values) => send(client, { text, values }), table);
  return all.map((each) => auditedOf(registry, each)).filter((each) => each !== null);
}

/** Leaves a delete entry for every row, then empties the tables; the lock comes first, so that no row slips in between. */
export async function emptyTables(
  client: DriverClient,
  registry: Registry,
  environment: Environment,
  emptying: Emptying,
): Promise<DriverResult | null> {
  const tables = await emptied(client, registry, emptying);
  if (tables.length === 0) return null;
  for (const audited of tables) emptying.policy.check(emptying.context, audited, ['delete']);
  return atomically(client, emptying.inTransaction, async () => {
    const names = tables.map(({ table }) => quoteTable(table)).join(', ');
    await send(client, { text: `lock table ${names} in access exclusive mode`, values: [] });
    const models = new Set(tables.map(({ registration }) => registration?.name ?? ''));
    for (const audited of tables) await logAll(client, environment, audited, models, emptying.context);
    return send(client, { text: emptying.sql, values: [] });
  });
}

/** @param models names of all models that are emptied: their objects get no entry of links that go with them */
async function logAll(
  client: DriverClient,
  environment: Environment,
  audited: AuditedTable,
  models: ReadonlySet<string>,
  context: WriteContext,
): Promise<void> {
  const settings = await environment.settings(client);
  const plan = await environment.plan(client, audited);
  if (!plan) return;
  const links = plan.links.filter(({ owner }) => !models.has(owner.name));
  if (!plan.isLogged && links.length === 0) return;
  const binds = contextBinds(0, context.labelFromRow ? settings.actorRow : null);
  const { text } = compileEmptying({ ...plan, links }, settings, binds);
  await send(client, { text, values: contextValues(context) });
}
