import { bindLiterals, literalValue, type BoundText } from '../statement/bind-literals';
import { literalForm, literalTemplate } from '../statement/literal-template';
import { BoundedCache, isCacheable } from './statement-cache';

interface KnownForm {
  /** Null for a form whose texts have to be read one by one. */
  readonly template: string | null;
}

/** Texts with their literals bound; of a form that came before, a text is not read anew. */
export class BoundTexts {
  readonly #forms = new BoundedCache<KnownForm>();

  of(sql: string, values: readonly unknown[]): BoundText {
    if (!isCacheable(sql)) return bindLiterals(sql, values);
    const { form, literals } = literalForm(sql);
    const { template } = this.#forms.get(`${values.length} ${form}`, () => ({
      template: literalTemplate(sql, values.length),
    }));
    if (template === null) return bindLiterals(sql, values);
    return { sql: template, values: [...values, ...literals.map(literalValue)] };
  }
}
