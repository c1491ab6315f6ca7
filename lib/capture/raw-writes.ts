import { digestOf } from '../core/node';
import { warnOnce } from '../core/warnings';
import { firstWord, formOf, type Survey } from '../statement/survey';

/** Statements that are made up from ever new parts are told of for a while, then no more. */
const MAX_NOTICES = 100;

/** Notices raw SQL that writes to a registered table without an entry: once per statement, whatever its values. */
export class RawWrites {
  /** What texts that come again were found to be; they are kept by those who read them. */
  readonly #noticed = new WeakSet<Survey>();
  readonly #forms = new Set<string>();

  notice(model: string, sql: string, found: Survey): void {
    if (this.#noticed.has(found) || this.#forms.size >= MAX_NOTICES) return;
    this.#noticed.add(found);
    // Without its text, which may hold values that are masked.
    const form = digestOf('sha1', `${model} ${formOf(sql)}`, 40);
    this.#forms.add(form);
    const message = `Raw SQL writes to the table of ${model} in a form that is not recorded (a "${firstWord(sql)}"). Write it as one insert, update or delete by itself, or with { audit: false }.`;
    warnOnce('AUDIT_RAW_WRITE', message, form);
  }
}
