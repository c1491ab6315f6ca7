import { compileWrite, type CompiledStatement } from '../statement/compile';
import { contextBinds } from '../statement/context-binds';
import type { ParsedWrite } from '../statement/parse-write';
import type { ActorRow, ModelPlan, StatementSettings } from '../statement/plan';

/** Longer texts hold inlined rows and never come twice. */
const MAX_CACHED_LENGTH = 8_192;
const MAX_CACHED_TEXTS = 2_000;

/** A map that starts anew when it is full: the few texts that matter are back at once. */
export class BoundedCache<Value> {
  #values = new Map<string, Value>();

  peek(text: string): Value | undefined {
    return this.#values.get(text);
  }

  get(text: string, make: () => Value): Value {
    const known = this.#values.get(text);
    if (known !== undefined) return known;
    const value = make();
    if (text.length > MAX_CACHED_LENGTH) return value;
    if (this.#values.size >= MAX_CACHED_TEXTS) this.#values = new Map();
    this.#values.set(text, value);
    return value;
  }
}

/** A write as text with its binds. */
export interface BoundWrite {
  readonly write: ParsedWrite;
  /** The text that `write` was parsed from, its literals bound: the key of what is compiled from it. */
  readonly text: string;
  readonly values: readonly unknown[];
}

function keyOf({ text }: BoundWrite, actorRow: ActorRow | null): string {
  return actorRow ? `label ${text}` : text;
}

/** Compiled statements per model and text; a new plan of the model starts anew. */
export class StatementCache {
  readonly #byPlan = new WeakMap<ModelPlan, BoundedCache<CompiledStatement>>();

  get(
    bound: BoundWrite,
    plan: ModelPlan,
    settings: StatementSettings,
    labelFromRow: boolean,
  ): CompiledStatement {
    const actorRow = labelFromRow ? settings.actorRow : null;
    return this.remembered(plan, keyOf(bound, actorRow), () => {
      return compileWrite(bound.write, plan, settings, contextBinds(bound.values.length, actorRow));
    });
  }

  /** What `get` gave before for the same. */
  peek(
    bound: BoundWrite,
    plan: ModelPlan,
    settings: StatementSettings,
    labelFromRow: boolean,
  ): CompiledStatement | null {
    const key = keyOf(bound, labelFromRow ? settings.actorRow : null);
    return this.#byPlan.get(plan)?.peek(key) ?? null;
  }

  /** @param key all that `compile` depends on besides the plan */
  remembered(plan: ModelPlan, key: string, compile: () => CompiledStatement): CompiledStatement {
    return this.#of(plan).get(key, compile);
  }

  #of(plan: ModelPlan): BoundedCache<CompiledStatement> {
    const known = this.#byPlan.get(plan);
    if (known) return known;
    const cache = new BoundedCache<CompiledStatement>();
    this.#byPlan.set(plan, cache);
    return cache;
  }
}
