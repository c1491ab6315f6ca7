import { sequelize } from './database';
import { seedShop } from './seed';
import { progressLine } from './seed/progress';
import { openTables } from './tables';

async function main(): Promise<void> {
  await openTables();
  const seeded = await seedShop(progressLine(process.stdout));
  console.log(seeded ? 'The shop has its history.' : 'The shop has orders already; nothing was changed.');
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => sequelize.close());
