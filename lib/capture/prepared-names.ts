import { digestOf } from '../core/node';
import { warnOnce } from '../core/warnings';

/** pg and the server keep every statement for the life of a connection, so their number is bounded. */
const MAX_NAMES = 400;
/** Also in a process that renews them again and again: old names stay where they are. */
const MAX_ALL_NAMES = 1_000;
/** Longer texts hold inlined rows: kept as a key, they would cost memory, and they never come again. */
const MAX_LENGTH = 20_000;
/** Texts seen once that are remembered, to know the second use. */
const MAX_SEEN = 5_000;

/**
 * Names for prepared statements: a text gets one from its second use on, so that texts seen once (bulk inserts, long
 * IN lists) are never prepared. Names are hashes, since processes behind one pooler share server connections.
 */
export class PreparedNames {
  readonly #seen = new Set<string>();
  readonly #names = new Map<string, string>();
  #epoch = 0;
  #given = 0;
  #lost = 0;
  #isOn: boolean;

  constructor(isOn: boolean) {
    this.#isOn = isOn;
  }

  /** The name to send `text` under, or undefined to send it unnamed. */
  nameFor(text: string): string | undefined {
    if (!this.#isOn || text.length > MAX_LENGTH) return undefined;
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (!this.#seen.has(text)) {
      this.#remember(text);
      return undefined;
    }
    const isFull = this.#names.size >= MAX_NAMES || this.#given >= MAX_ALL_NAMES;
    return isFull ? undefined : this.#assign(text);
  }

  /** The server no longer knows a statement, or knows another under its name: all are prepared anew under new names. */
  renew(): void {
    this.#epoch += 1;
    this.#names.clear();
  }

  /** A pooler lost a prepared statement; the second loss turns them off for the process. */
  noteLoss(): void {
    this.#lost += 1;
    this.renew();
    if (this.#lost < 2 || !this.#isOn) return;
    this.#isOn = false;
    warnOnce(
      'AUDIT_PREPARED_STATEMENTS_OFF',
      'Prepared statements got lost between this process and PostgreSQL, most likely in a pooler in transaction mode. They are now off for this process; createAuditLog(sequelize, { preparedStatements: false }) says so from the start.',
    );
  }

  #remember(text: string): void {
    if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
    this.#seen.add(text);
  }

  #assign(text: string): string {
    const hash = digestOf('sha1', text, 20);
    const name = `audit_${this.#epoch}_${hash}`;
    this.#names.set(text, name);
    this.#given += 1;
    this.#seen.delete(text);
    return name;
  }
}
