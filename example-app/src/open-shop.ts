import { createApp, type Shop } from './app';
import { sequelize } from './database';
import { startDomainEvents } from './domain-events/start';
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
  // After the seed: nobody wants to be alerted of half a year at once.
  const stopDomainEvents = startDomainEvents();
  const { app, close } = createApp();
  return {
    app,
    close: async () => {
      close();
      stopDomainEvents();
      await sequelize.close();
    },
  };
}
