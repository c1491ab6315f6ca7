import type { Transaction } from 'sequelize';
import { OWN_READ } from '../capture/own-read';
import { AuditError } from '../core/errors';
import { sqlState } from '../schema/sql-state';

/** Name of an option of a query, of the library's own: what it reads. */
export const READING = 'auditReading';

/** What a query reads instead of the model's table. */
export interface PastRelation {
  /** One SELECT. */
  readonly relation: string;
  /** Attributes that it lacks. */
  readonly hidden?: ReadonlySet<string>;
  /** Column with the names of what can't be known of a row. */
  readonly unknownColumn?: string | undefined;
  /** Options with which statements are sent. */
  readonly sending?: object | undefined;
  /** Where statements over `relation` may fail for a value that a column doesn't take. */
  readonly tested?: TestedRelation | undefined;
}

/** What is read in a transaction, which an error would end, and where the relation failed. */
interface TestedRelation {
  /** @param transaction of the statement that reads it */
  readonly relation: (transaction: Transaction | null | undefined) => string | Promise<string>;
  /** Told when this was read where the other failed. */
  readonly note: () => void;
}

const PLAINLY = { [OWN_READ]: true };
const NOTHING: ReadonlySet<string> = new Set();

/** Input functions tell what they don't take by errors of these classes, most of them by the first. */
const OF_VALUES = ['22', '42'];

function mayBeOfValues(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && OF_VALUES.includes(state.slice(0, 2));
}

type Send = (prefix: string) => Promise<unknown>;

/** What of a find reads the past. */
export class Reading {
  readonly hidden: ReadonlySet<string>;
  readonly unknownColumn: string | undefined;
  readonly sending: object;
  /** What stands before a statement that reads a relation. */
  readonly #prefixOf: (relation: string) => string;
  readonly #relation: string;
  readonly #tested: TestedRelation | undefined;

  constructor(
    prefixOf: (relation: string) => string,
    { relation, tested, hidden, unknownColumn, sending }: PastRelation,
  ) {
    this.#prefixOf = prefixOf;
    this.#relation = relation;
    this.#tested = tested;
    this.hidden = hidden ?? NOTHING;
    this.unknownColumn = unknownColumn;
    this.sending = sending ?? PLAINLY;
  }

  /** @param transaction of the statement */
  async answer(transaction: Transaction | null | undefined, send: Send): Promise<unknown> {
    const tested = this.#tested;
    const sendTested = async (): Promise<unknown> =>
      send(this.#prefixOf(await tested!.relation(transaction)));
    if (tested && transaction) return sendTested();
    const answer = send(this.#prefixOf(this.#relation));
    if (!tested) return answer;
    return answer.catch(async (error: unknown) => {
      if (!mayBeOfValues(error)) throw error;
      const found = await sendTested();
      tested.note();
      return found;
    });
  }
}

/** A find's option: a function, since a copy of the options, by Sequelize or by a hook, then has the very same. */
export function readingOption(reading: Reading | undefined): object {
  return reading ? { [READING]: () => reading } : {};
}

/** @throws {AuditError} ERR_AUDIT_READ_ONLY: it would be the present */
export function requireReading(options: object): Reading {
  const { [READING]: reading } = options as { [READING]?: () => Reading };
  if (reading) return reading();
  const message = `A find of a class of the past came without its option ${READING}, and would read the present. Ask the reader of asOf instead of the class of what it found; where a find hook or an override of findAll makes new options, pass on all that it was given.`;
  throw new AuditError('ERR_AUDIT_READ_ONLY', message);
}
