import { Client } from 'pg';
import type { Options, Sequelize } from 'sequelize';

export interface SentStatement {
  readonly text: string;
  /** The name of a prepared statement. */
  readonly name: string | undefined;
  readonly values: readonly unknown[];
}

type Query = (this: Client, ...args: unknown[]) => unknown;

/** The statements that reach the driver while `work` runs, as they are sent. */
export async function statementsOf(sequelize: Sequelize, work: () => unknown): Promise<SentStatement[]> {
  // The first connection asks for the server's version and types: not part of the work.
  await sequelize.authenticate({ logging: false });
  const sent: SentStatement[] = [];
  const prototype = Client.prototype as unknown as { query: Query };
  const query = prototype.query;
  prototype.query = function recorded(...args) {
    sent.push(toStatement(args));
    return query.apply(this, args);
  };
  try {
    await work();
  } finally {
    prototype.query = query;
  }
  return sent;
}

/** The statements as Sequelize's own logging tells them, without its "Executing (default): ". */
export async function loggedBy(sequelize: Sequelize, work: () => unknown): Promise<string[]> {
  const logged: string[] = [];
  // Its declarations don't tell of the public property.
  const { options } = sequelize as unknown as { options: Options };
  const logging = options.logging ?? false;
  options.logging = (line) => logged.push(line.replace(/^Execut(?:ing|ed) \([^)]*\): /, ''));
  try {
    await work();
  } finally {
    options.logging = logging;
  }
  return logged;
}

function toStatement([first, second]: unknown[]): SentStatement {
  const config = typeof first === 'object' && first !== null ? (first as Partial<SentStatement>) : {};
  const text = typeof first === 'string' ? first : config.text;
  const values = config.values ?? (Array.isArray(second) ? (second as unknown[]) : []);
  return { text: text ?? '', name: config.name, values };
}
