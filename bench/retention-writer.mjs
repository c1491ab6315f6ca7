// An application that goes on writing: one audited update after the other, of rows of every table, until it is told to stop.
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from './retention-world.mjs';
import { quantile } from './statistics.mjs';

const WARM_UP = 50;
const PAUSE_MS = 5;

const world = connect('writer');
const times = [];
const stop = new AbortController();
process.once('message', () => stop.abort());
process.once('disconnect', () => process.exit());

async function write(n) {
  const [model, column] = n % 2 === 0 ? [world.Order, 'quantity'] : [world.Customer, 'visits'];
  const start = performance.now();
  await model.update({ [column]: n }, { where: { id: 1 + (n % 100) } });
  return performance.now() - start;
}

for (let n = 0; n < WARM_UP; n += 1) await write(n);
process.send('ready');
while (!stop.signal.aborted) {
  times.push(await write(WARM_UP + times.length));
  await pause(PAUSE_MS);
}
process.send({ count: times.length, median: quantile(times, 0.5), slowest: Math.max(...times) });
await world.sequelize.close();
