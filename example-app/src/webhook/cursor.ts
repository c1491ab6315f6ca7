import { DataTypes, type InferAttributes, type InferCreationAttributes, Model } from 'sequelize';
import type { TailedEntry } from 'sequelize-auditlog';
import { sequelize } from '../database';

/** How far each receiver has got. */
export class WebhookCursor extends Model<
  InferAttributes<WebhookCursor>,
  InferCreationAttributes<WebhookCursor>
> {
  declare name: string;
  declare cursor: string;
  /** The last entry that was delivered, for measuring how far behind the receiver is. */
  declare transactionId: string;
  declare entryId: string;
}

WebhookCursor.init(
  {
    name: { type: DataTypes.TEXT, primaryKey: true },
    cursor: { type: DataTypes.TEXT, allowNull: false },
    transactionId: { type: DataTypes.BIGINT, allowNull: false },
    entryId: { type: DataTypes.BIGINT, allowNull: false },
  },
  { sequelize, tableName: 'webhook_cursors' },
);

export async function loadCursor(name: string): Promise<string | null> {
  return (await WebhookCursor.findByPk(name))?.cursor ?? null;
}

/** Moves the cursor on from where this worker saw it. Of two workers for one receiver, one ends here. */
export async function storeCursor(
  name: string,
  before: string | null,
  { entry, cursor }: TailedEntry,
): Promise<void> {
  const values = { cursor, transactionId: entry.transactionId ?? '0', entryId: entry.id };
  if (before === null) {
    await WebhookCursor.create({ name, ...values });
    return;
  }
  const [moved] = await WebhookCursor.update(values, { where: { name, cursor: before } });
  if (moved === 0) throw new Error(`Another worker delivers to "${name}".`);
}
