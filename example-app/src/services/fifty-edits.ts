import { currentAuditContext } from 'sequelize-auditlog';
import { LogEntry } from '../audit';
import { Product } from '../models';

const EDITS = 50;

export interface FiftyEdits {
  readonly product: Product;
  readonly entries: number;
  readonly before: unknown;
  readonly after: unknown;
  /** Whether each entry begins with the value that the one before it ended with. */
  readonly unbroken: boolean;
}

/**
 * Adds one piece of a product fifty times at once, each in a transaction of its own, and reads back what the log says of it.
 * The database sees as many of them at a time as the pool has connections.
 */
export async function editFiftyTimes(): Promise<FiftyEdits> {
  const product = await Product.findOne({ order: ['id'], rejectOnEmpty: true });
  const { id } = product;
  await Promise.all(Array.from({ length: EDITS }, () => Product.increment({ stock: 1 }, { where: { id } })));
  const correlationId = currentAuditContext()?.correlationId ?? '';
  const entries = await LogEntry.inRequest(correlationId, { order: [['id', 'asc']] });
  const steps = entries.map(({ changes }) => changes?.['stock'] as readonly [unknown, unknown]);
  return {
    product,
    entries: entries.length,
    before: steps[0]?.[0],
    after: steps.at(-1)?.[1],
    unbroken: steps.every(([old], index) => index === 0 || old === steps[index - 1]?.[1]),
  };
}
