import { OWN_READ } from '../capture/own-read';
import { AuditError } from '../core/errors';
import { isDataError } from '../schema/sql-state';

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
  readonly relation: () => string | Promise<string>;
  /** Told when this was read where the other failed. */
  readonly note: () => void;
}

const PLAINLY = { [OWN_READ]: true };
const NOTHING: ReadonlySet<string> = new Set();

type Send = (prefix: string) => Promise<unknown>;

/** Of a class, since Sequelize copies plain objects in options each time it passes them on. */
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

  async answer(isInTransaction: boolean, send: Send): Promise<unknown> {
    const tested = this.#tested;
    if (tested && isInTransaction) return this.#sendTested(tested, send);
    const answer = send(this.#prefixOf(this.#relation));
    if (!tested) return answer;
    return answer.catch(async (error: unknown) => {
      if (!isDataError(error)) throw error;
      const found = await this.#sendTested(tested, send);
      tested.note();
      return found;
    });
  }

  async #sendTested({ relation }: TestedRelation, send: Send): Promise<unknown> {
    return send(this.#prefixOf(await relation()));
  }
}

/** @throws {AuditError} ERR_AUDIT_READ_ONLY: it would be the present */
export function requireReading(options: object): Reading {
  const { [READING]: reading } = options as { [READING]?: Reading };
  if (reading) return reading;
  const message =
    'A class of what was found in the past finds nothing by itself; ask the reader that found it.';
  throw new AuditError('ERR_AUDIT_READ_ONLY', message);
}
