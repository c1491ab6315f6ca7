import type { Sequelize, Transaction } from 'sequelize';
import type { AuditCallOption } from '../core/call-option';
import type { CatalogueQuery } from '../schema/catalogue';
import { quoteTable } from '../schema/quote';
import { deferredConstraints } from '../schema/references';
import { catalogueQuery } from '../schema/sync';

const SAVEPOINT = '"sequelize_auditlog_undo"';

interface Counted {
  readonly rowCount?: number | null;
}

/** The transaction of one undo. */
export class UndoSession {
  readonly transaction: Transaction;
  readonly query: CatalogueQuery;
  readonly #sequelize: Sequelize;
  readonly #audit: AuditCallOption;

  constructor(sequelize: Sequelize, transaction: Transaction, audit: AuditCallOption) {
    this.#sequelize = sequelize;
    this.transaction = transaction;
    this.#audit = audit;
    this.query = catalogueQuery(sequelize, transaction);
  }

  /** Sends one write through Sequelize's door, so that it leaves entries; answers with the number of rows. */
  async write(sql: string, bind: readonly unknown[]): Promise<number> {
    const options = {
      bind: [...bind],
      transaction: this.transaction,
      audit: this.#audit,
      supportsSearchPath: false,
    };
    const [, result] = (await this.#sequelize.query(sql, options)) as [unknown, number | Counted];
    // Of an insert Sequelize hands on the number itself.
    return typeof result === 'number' ? result : (result.rowCount ?? 0);
  }

  /** Rows may pass through states that only the end makes right, as far as the constraints allow. */
  async deferConstraints(): Promise<void> {
    await this.command('set constraints all deferred');
  }

  /** Fails for what the end has not made right; the caller's transaction goes on with its constraints as they were declared. */
  async checkConstraints(): Promise<void> {
    await this.command('set constraints all immediate');
    if (!(this.transaction as { parent?: unknown }).parent) return;
    const names = await deferredConstraints(this.query);
    if (names.length > 0) await this.command(`set constraints ${names.map(quoteTable).join(', ')} deferred`);
  }

  async command(sql: string): Promise<void> {
    await this.#sequelize.query(sql, { transaction: this.transaction });
  }

  /** Runs `work`; when it fails, what it did is undone and the transaction goes on. */
  async tentatively(work: () => Promise<void>): Promise<void> {
    await this.command(`savepoint ${SAVEPOINT}`);
    try {
      await work();
    } catch (error) {
      await this.command(`rollback to savepoint ${SAVEPOINT}`);
      await this.command(`release savepoint ${SAVEPOINT}`);
      throw error;
    }
    await this.command(`release savepoint ${SAVEPOINT}`);
  }
}
