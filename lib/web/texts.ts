import type { ComponentChild } from 'preact';
import { MESSAGES, type CountedMessageKey, type MessageKey, type Messages } from './messages';

type Values = Readonly<Record<string, string | number>>;
type Slots = Readonly<Record<string, ComponentChild>>;

const SCRIPT_PREFIX = 'script.';
const SLOT = /\{(\w+)\}/;

/** The texts of one router: the host's where it has some, else English. */
export class Texts {
  readonly locale: string;
  readonly #own: Partial<Messages>;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;

  constructor(own: Partial<Messages>, locale: string) {
    this.locale = locale;
    this.#own = own;
    this.#plural = new Intl.PluralRules(locale);
    this.#number = new Intl.NumberFormat(locale);
  }

  /** A number with the language's separators. */
  number(value: number): string {
    return this.#number.format(value);
  }

  /** A text with its `{names}` filled in. */
  t(key: MessageKey, values: Values = {}): string {
    return this.#fill(this.#template(key), values);
  }

  /** A text whose form depends on `n`, which fills `{n}`. */
  tn(key: CountedMessageKey, n: number, values: Values = {}): string {
    const form = `${key}.${this.#plural.select(n)}`;
    const chosen = this.#own[form as MessageKey] ?? MESSAGES[form as MessageKey];
    const template = chosen ?? this.#template(`${key}.other`);
    return this.#fill(template, { n: this.number(n), ...values });
  }

  /** A text whose `{names}` are filled with markup, such as links and times. */
  rich(key: MessageKey, slots: Slots): ComponentChild[] {
    return this.#template(key)
      .split(/(\{\w+\})/)
      .map((part) => {
        const name = SLOT.exec(part)?.[1];
        return name === undefined ? part : (slots[name] ?? part);
      });
  }

  /** The texts of the script, as it reads them: without their prefix, in the forms this language counts by. */
  get forScript(): Readonly<Record<string, string>> {
    const all = { ...MESSAGES, ...this.#own };
    const own = Object.entries(all).filter(([key]) => key.startsWith(SCRIPT_PREFIX));
    return Object.fromEntries(own.map(([key, text]) => [key.slice(SCRIPT_PREFIX.length), text]));
  }

  #template(key: MessageKey): string {
    return this.#own[key] ?? MESSAGES[key];
  }

  #fill(template: string, values: Values): string {
    return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }
}
