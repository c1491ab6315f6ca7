import { auditLog } from './audit';
import { sequelize } from './database';
import { seedShop } from './seed';
import { progressLine } from './seed/progress';

async function main(): Promise<void> {
  await sequelize.sync();
  await auditLog.sync();
  const seeded = await seedShop(progressLine(process.stdout));
  console.log(seeded ? 'The shop has its history.' : 'The shop has orders already; nothing was changed.');
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => sequelize.close());
