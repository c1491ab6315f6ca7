import type { Sequelize } from 'sequelize';
import { PreparedNames } from '../capture/prepared-names';
import {
  interceptStatements,
  onBeforeQuery,
  type DriverCallback,
  type DriverClient,
} from '../capture/sequelize-adapter';
import { isLostStatement, isStaleStatement } from '../capture/write-errors';
import type { ResolvedOptions } from '../core/options';
import { OWN_READ } from '../capture/own-read';
import type { HistorySettings } from '../history/settings';
import { quoteLiteral } from '../schema/quote';

/** Name of an option of a query, of the library's own: how its statement is sent. */
const BOUND_READ = 'auditBoundRead';
const HOOK = 'sequelize-auditlog-bound-reads';

const names = new WeakMap<ResolvedOptions, PreparedNames>();
const listening = new WeakSet<Sequelize>();

/** A SELECT whose text is the same for many values, and whose plan is then made once per connection: that costs more than running it. */
class BoundRead {
  readonly values: readonly string[];
  readonly #names: PreparedNames;

  constructor(values: readonly string[], given: PreparedNames) {
    this.values = values;
    this.#names = given;
  }

  /** @param mayFail whether a statement that the server forgot may be sent once more: in a transaction it would have broken that */
  send(client: DriverClient, text: string, mayFail: boolean, done: DriverCallback): void {
    const unnamed = { text, values: this.values };
    const name = mayFail ? this.#names.nameFor(text) : undefined;
    if (name === undefined) return client.query(unnamed, done);
    client.query({ ...unnamed, name }, (error, result) => {
      if (error && this.#forgets(error)) client.query(unnamed, done);
      else done(error, result);
    });
  }

  #forgets(error: Error): boolean {
    if (isLostStatement(error)) this.#names.noteLoss();
    else if (isStaleStatement(error)) this.#names.renew();
    else return false;
    return true;
  }
}

function namesOf({ options }: HistorySettings): PreparedNames {
  const known = names.get(options);
  if (known) return known;
  const made = new PreparedNames(options.preparedStatements);
  names.set(options, made);
  return made;
}

/** With the first use, so that who never reads the past pays nothing. */
function listen(sequelize: Sequelize): void {
  if (listening.has(sequelize)) return;
  listening.add(sequelize);
  onBeforeQuery(sequelize, HOOK, (options, query) => {
    const read = options[BOUND_READ];
    if (!(read instanceof BoundRead)) return;
    interceptStatements(query, (client, sql, _none, done) =>
      read.send(client, sql, !options.transaction, done),
    );
  });
}

/** Whether statements may have parameters: not where Sequelize puts another statement before each of them. */
function takesValues(sequelize: Sequelize): boolean {
  const { options } = sequelize as unknown as {
    options: { dialectOptions?: { prependSearchPath?: unknown } };
  };
  return !options.dialectOptions?.prependSearchPath;
}

/** How values are given to a statement: what stands for them in its text, and options with which it is to be sent. */
export interface BoundValues {
  readonly places: readonly string[];
  readonly sending: object;
  /** Whether the text is the same for other values. */
  readonly repeats: boolean;
}

/**
 * Values for a statement of the library's own that is sent by name from its second use on. Past Sequelize's own `bind`, which
 * would take any `$` in a name for a parameter.
 */
export function boundRead(settings: HistorySettings, values: readonly string[]): BoundValues {
  const { sequelize } = settings;
  if (!takesValues(sequelize))
    return { places: values.map(quoteLiteral), sending: { [OWN_READ]: true }, repeats: false };
  listen(sequelize);
  const sending = { [OWN_READ]: true, [BOUND_READ]: new BoundRead(values, namesOf(settings)) };
  return { places: values.map((_, at) => `$${at + 1}`), sending, repeats: true };
}
