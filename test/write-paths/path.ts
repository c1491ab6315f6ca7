import type { Sequelize, Transaction } from 'sequelize';
import type { TestDatabase } from '../support/database';
import type { Models } from './models';

/** What a write path has at hand. */
export interface Bench {
  readonly models: Models;
  readonly sequelize: Sequelize;
  readonly database: TestDatabase;
}

/** Options for the calls of a path: the transaction they run in, if any. */
export interface CallOptions {
  readonly transaction?: Transaction;
}

/** One way to write with Sequelize. */
export interface WritePath {
  readonly name: string;
  /** How many entries it leaves: said here by hand, so that a path which does nothing is noticed. */
  readonly entries: number;
  /** Makes what the path needs, and gives the writes themselves. */
  prepare(bench: Bench): Promise<(options: CallOptions) => Promise<unknown>>;
}

type Act<Given> = (bench: Bench, options: CallOptions, given: Given) => Promise<unknown>;

/** A path that needs nothing to be there. */
export function path(name: string, entries: number, act: Act<undefined>): WritePath {
  return { name, entries, prepare: async (bench) => (options) => act(bench, options, undefined) };
}

/** A path over what `arrange` has made. */
export function pathOver<Given>(
  name: string,
  entries: number,
  arrange: (bench: Bench) => Promise<Given>,
  act: Act<Awaited<Given>>,
): WritePath {
  return {
    name,
    entries,
    async prepare(bench) {
      const given = await arrange(bench);
      return (options) => act(bench, options, given);
    },
  };
}

/** A call that must fail with an error of that name; in a transaction, behind a savepoint. */
export async function failing(
  { sequelize }: Bench,
  { transaction }: CallOptions,
  name: string,
  attempt: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  const savepoint = transaction && (await sequelize.transaction({ transaction }));
  const error: unknown = await attempt(savepoint ? { transaction: savepoint } : {}).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  await savepoint?.rollback();
  if ((error as Error | null)?.name !== name) throw new Error(`expected ${name}`, { cause: error });
}

/** An association's method, which no declared type knows. */
export function call(instance: object, method: string, ...args: unknown[]): Promise<unknown> {
  const found = (instance as Record<string, unknown>)[method];
  if (typeof found !== 'function') throw new Error(`there is no ${method}`);
  return found.apply(instance, args) as Promise<unknown>;
}
