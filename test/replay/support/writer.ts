/** A program that writes without end, to be killed: arguments are the database's URL, the schema and a seed. */
import { Sequelize } from 'sequelize';
import { createAuditLog } from 'sequelize-auditlog';
import { Scene, WORKERS } from '../scene';
import { Worker } from '../worker';

const [url = '', schema = '', seed = ''] = process.argv.slice(2);
const sequelize = new Sequelize(url, {
  logging: false,
  pool: { max: WORKERS },
  dialectOptions: { application_name: `${schema}_writer`, options: `-c search_path=${schema}` },
});
const scene = new Scene(sequelize);
scene.register(createAuditLog(sequelize));

/** The rows that writers before it have left. */
async function findRows(): Promise<void> {
  for (const name of Object.keys(scene.ids) as (keyof Scene['ids'])[]) {
    const rows = await scene.models[name].findAll({ attributes: ['id'], order: ['id'], paranoid: false });
    scene.ids[name].push(...rows.map((row) => Number(row.get('id'))));
  }
}

async function main(): Promise<void> {
  await findRows();
  const workers = Array.from({ length: WORKERS }, (_, at) => {
    return new Worker(scene, { made: 0, failed: 0, undone: new Set() }, at, Number(seed));
  });
  await Promise.all(workers.map((worker) => worker.run(Infinity)));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
