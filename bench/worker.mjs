// One variant in a process of its own: waits for the name of a task, runs it, answers with milliseconds per operation.
import { Sequelize } from 'sequelize';
import { defineModels } from './table.mjs';
import { timed } from './tasks.mjs';
import { VARIANTS } from './variants.mjs';

const [, , name, url, schema, synchronousCommit] = process.argv;

process.once('disconnect', () => process.exit());
const on = await open();
process.on('message', ({ task, sql }) => {
  const answer = task ? timed(task, on) : on.sequelize.query(sql, { raw: true }).then(([rows]) => rows);
  answer.then(
    (result) => process.send({ result }),
    (error) => process.send({ error: `${task ?? sql}: ${error.message}` }),
  );
});
process.send({ result: 'ready' });

async function open() {
  const options = `-c search_path=${schema} -c synchronous_commit=${synchronousCommit}`;
  const sequelize = new Sequelize(url, {
    logging: false,
    pool: { max: 10, idle: 60_000 },
    dialectOptions: { options },
  });
  await sequelize.query(`create schema if not exists ${schema}`);
  const models = defineModels(sequelize);
  const inContext = await VARIANTS[name].open({ sequelize, ...models });
  return { sequelize, inContext, ...models };
}
