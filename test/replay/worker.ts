import type { Model, Transaction } from 'sequelize';
import { withAuditContext } from 'sequelize-auditlog';
import { OPERATIONS } from './operations';
import { Chance } from './random';
import type { CallOptions, Scene } from './scene';

/** Deadlock, serialization, unique and foreign keys, not null: what writers who meet must expect. */
const EXPECTED = new Set(['40P01', '40001', '23505', '23503', '23502']);

/** Thrown to undo a transaction that did nothing wrong. */
class ChangeOfMind extends Error {}

function isExpected(error: unknown): boolean {
  if (error instanceof ChangeOfMind) return true;
  // findOrCreate that lost a race it can't resolve.
  return EXPECTED.has(codeOf(error)) || (error as Error).name === 'SequelizeUniqueConstraintError';
}

function codeOf(error: unknown): string {
  return (error as { parent?: { code?: string } }).parent?.code ?? '';
}

/** A deadlock or a serialization failure: the transaction as a whole must be given up. */
function endsTransaction(error: unknown): boolean {
  return codeOf(error).startsWith('40');
}

/** How the operations of all workers ended. */
export interface Tally {
  made: number;
  failed: number;
  /** Marks of what must have left nothing. */
  readonly undone: Set<string>;
}

/** One of several writers at once; its operations depend on the seed alone, their effects on the others too. */
export class Worker {
  readonly name: string;
  readonly #scene: Scene;
  readonly #chance: Chance;
  readonly #tally: Tally;
  readonly #held: Model[] = [];
  #count = 0;

  constructor(scene: Scene, tally: Tally, at: number, seed: number) {
    this.name = `worker-${at}`;
    this.#scene = scene;
    this.#tally = tally;
    this.#chance = new Chance(seed * 1_000 + at);
  }

  async run(operations: number): Promise<void> {
    await withAuditContext({ actor: { id: this.name }, reason: 'from the context' }, async () => {
      while (this.#count < operations) await this.#step();
    });
  }

  #step(): Promise<void> {
    const chance = this.#chance;
    return chance.happens(0.7) ? this.#alone() : this.#together();
  }

  /** A call without transaction may be several writes, of which the first stay when the next fails. */
  async #alone(): Promise<void> {
    await this.#attempt([], (marks) => this.#write(marks));
  }

  async #together(): Promise<void> {
    const marks: string[] = [];
    const isDone = await this.#attempt(marks, () => this.#transaction(marks));
    if (!isDone) for (const mark of marks) this.#tally.undone.add(mark);
  }

  /** Whether it went well; a failure that is not to be expected ends the test. */
  async #attempt(marks: string[], work: (marks: string[]) => Promise<unknown>): Promise<boolean> {
    try {
      await work(marks);
      this.#tally.made += marks.length;
      return true;
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.#tally.failed += marks.length;
      return false;
    }
  }

  /** One operation, now and then in a context within the worker's. */
  async #write(marks: string[], transaction?: Transaction): Promise<void> {
    this.#count += 1;
    const mark = `${this.name}:${this.#count}`;
    marks.push(mark);
    const options: CallOptions = { audit: { reason: mark }, ...(transaction && { transaction }) };
    const hand = { scene: this.#scene, chance: this.#chance, held: this.#held, options };
    const write = (): Promise<unknown> => this.#chance.weighed(OPERATIONS)(hand);
    await (this.#chance.happens(0.2)
      ? withAuditContext({ additionalData: { nested: true } }, write)
      : write());
  }

  async #transaction(marks: string[]): Promise<void> {
    const chance = this.#chance;
    const isolationLevel = chance.pick([
      'READ COMMITTED',
      'READ COMMITTED',
      'REPEATABLE READ',
      'SERIALIZABLE',
    ] as const);
    const gives = chance.happens(0.25);
    await this.#scene.sequelize.transaction(
      { isolationLevel: isolationLevel as never },
      async (transaction) => {
        for (let left = 1 + chance.below(4); left > 0; left -= 1) {
          if (chance.happens(0.25)) await this.#savepoint(transaction, marks);
          else await this.#write(marks, transaction);
        }
        if (gives) throw new ChangeOfMind('rolled back on purpose');
      },
    );
  }

  /** What it wrote is undone also when the transaction around it stays. */
  async #savepoint(outer: Transaction, marks: string[]): Promise<void> {
    const inner: string[] = [];
    const gives = this.#chance.happens(0.5);
    try {
      await this.#scene.sequelize.transaction({ transaction: outer }, async (transaction) => {
        await this.#write(inner, transaction);
        if (gives) throw new ChangeOfMind('rolled back to the savepoint on purpose');
      });
      marks.push(...inner);
    } catch (error) {
      if (!isExpected(error)) throw error;
      for (const mark of inner) this.#tally.undone.add(mark);
      if (!(error instanceof ChangeOfMind) && endsTransaction(error)) throw error;
    }
  }
}
