import { createApp, type Shop } from './app';
import { sequelize } from './database';
import { seedShop } from './seed';
import { progressLine } from './seed/progress';
import { openTables } from './tables';

export interface OpenShop extends Omit<Shop, 'close'> {
  readonly close: () => Promise<void>;
}

/** Tables, data, application. */
export async function openShop(): Promise<OpenShop> {
  await openTables();
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
