import type { Sequelize } from 'sequelize';
import { normalised, withoutChance } from './normalise';

/** Every hook of a model's life, as Sequelize lists them. */
export const MODEL_HOOKS = [
  'beforeValidate',
  'afterValidate',
  'validationFailed',
  'beforeCreate',
  'afterCreate',
  'beforeDestroy',
  'afterDestroy',
  'beforeRestore',
  'afterRestore',
  'beforeUpdate',
  'afterUpdate',
  'beforeSave',
  'afterSave',
  'beforeUpsert',
  'afterUpsert',
  'beforeBulkCreate',
  'afterBulkCreate',
  'beforeBulkDestroy',
  'afterBulkDestroy',
  'beforeBulkRestore',
  'afterBulkRestore',
  'beforeBulkUpdate',
  'afterBulkUpdate',
  'beforeFind',
  'beforeFindAfterExpandIncludeAll',
  'beforeFindAfterOptions',
  'afterFind',
  'beforeCount',
] as const;

interface QueryParts {
  readonly sql?: string;
  readonly constructor: { readonly name: string };
}

type Hook = (...args: unknown[]) => void;
type AddHook = (type: string, name: string, hook: Hook) => void;

/** All that an application is told while a call runs: its hooks and its log, in their order. */
export class Recorder {
  #seen: unknown[] | null = null;
  #warn: jest.SpyInstance | null = null;

  /** For the option `logging`. */
  readonly logging = (text: string, extra?: unknown): void => {
    this.#seen?.push({ logged: withoutChance(text), extra: normalised(extra) });
  };

  /** Begins anew; what is returned grows until `stop`. Sequelize's warnings of transactions it can't end belong to it. */
  start(): unknown[] {
    const seen: unknown[] = [];
    this.#seen = seen;
    this.#warn = jest
      .spyOn(console, 'warn')
      .mockImplementation((...args) => this.note('console', 'warn', args));
    return seen;
  }

  stop(): void {
    this.#seen = null;
    this.#warn?.mockRestore();
  }

  note(where: string, hook: string, args: readonly unknown[]): void {
    this.#seen?.push({ hook: `${where} ${hook}`, args: args.map(normalised) });
  }

  /** Hooks of the whole instance, those around queries and connections among them. */
  watch(sequelize: Sequelize): void {
    const add = sequelize.addHook.bind(sequelize) as unknown as AddHook;
    for (const hook of MODEL_HOOKS) add(hook, 'recorder', (...args) => this.note('sequelize', hook, args));
    for (const hook of ['beforeQuery', 'afterQuery'])
      add(hook, 'recorder', (...args) => this.#noteQuery(hook, args));
    for (const hook of ['beforePoolAcquire', 'afterPoolAcquire']) {
      add(hook, 'recorder', () => this.note('sequelize', hook, []));
    }
  }

  /** Hooks for a model's definition, or for `addHook` after it. */
  hooksFor(where: string): Record<(typeof MODEL_HOOKS)[number], Hook> {
    const hooks = MODEL_HOOKS.map((hook) => [hook, (...args: unknown[]) => this.note(where, hook, args)]);
    return Object.fromEntries(hooks) as Record<(typeof MODEL_HOOKS)[number], Hook>;
  }

  #noteQuery(hook: string, [options, query]: readonly unknown[]): void {
    const { sql, constructor } = query as QueryParts;
    this.note('sequelize', hook, [options, { sql, class: constructor.name }]);
  }
}
