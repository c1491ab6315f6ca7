import { createApp, type Shop } from './app';
import { auditLog } from './audit';
import { sequelize } from './database';
import { seedShop } from './seed';
import { progressLine } from './seed/progress';

export interface OpenShop extends Omit<Shop, 'close'> {
  readonly close: () => Promise<void>;
}

/** Tables, data, application. A real shop would run migrations instead of sync(). */
export async function openShop(): Promise<OpenShop> {
  await sequelize.sync();
  await auditLog.sync();
  await seedShop(progressLine(process.stdout));
  const { app, close } = createApp();
  return {
    app,
    close: async () => {
      close();
      await sequelize.close();
    },
  };
}
