// Runs all variants interleaved: in every round each task by each variant, in an order drawn anew, one at a time.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { shuffled } from './statistics.mjs';

/** Rounds that fill caches and make plans, while the compilers of Node's processes take a processor of their own; they are not counted. */
const WARM_UP = 4;
const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));

class Variant {
  constructor(name, { url, synchronousCommit, place }) {
    this.name = name;
    const schema = `bench_${synchronousCommit}_${place}`;
    const args = [name, url, schema, synchronousCommit];
    this.process = fork(WORKER, args, { execArgv: ['--expose-gc', '--no-warnings'] });
    this.ready = this.#answer();
  }

  ask(message) {
    const answer = this.#answer();
    this.process.send(message);
    return answer;
  }

  close() {
    this.process.disconnect();
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`The process of ${this.name} ended with ${code}.`));
      this.process.once('exit', ended);
      this.process.once('message', ({ result, error }) => {
        this.process.off('exit', ended);
        if (error) reject(new Error(`${this.name}: ${error}`));
        else resolve(result);
      });
    });
  }
}

/** Gives, by task and variant, the milliseconds of every round, and what `after` asks of each variant at the end. */
export async function runRounds({ url, synchronousCommit, variants, tasks, rounds, after = {}, onRound }) {
  const all = variants.map((name, place) => new Variant(name, { url, synchronousCommit, place }));
  try {
    for (const variant of all) await variant.ready;
    const times = Object.fromEntries(
      tasks.map((task) => [task, Object.fromEntries(variants.map((name) => [name, []]))]),
    );
    for (let round = 1 - WARM_UP; round <= rounds; round += 1) {
      for (const task of tasks) {
        for (const variant of shuffled(all)) {
          const milliseconds = await variant.ask({ task });
          if (round > 0) times[task][variant.name].push(milliseconds);
        }
      }
      onRound?.(Math.max(round, 0), rounds);
    }
    return { times, answers: await askAll(all, after) };
  } finally {
    for (const variant of all) variant.close();
  }
}

async function askAll(variants, questions) {
  const answers = {};
  for (const variant of variants) {
    const asked = questions[variant.name] ?? [];
    const results = [];
    for (const sql of asked) results.push(await variant.ask({ sql }));
    answers[variant.name] = results;
  }
  return answers;
}
