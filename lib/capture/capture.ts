import type { Sequelize } from 'sequelize';
import { labelAttribute } from '../context/actor';
import { resolveWriteContext } from '../context/resolve';
import type { ContextSettings } from '../context/settings';
import type { ResolvedOptions } from '../core/options';
import { callOption, handDownCallOptions } from './call-options';
import { Door } from './door';
import { Environment } from './environment';
import { CaptureGuard } from './guard';
import { OWN_READ } from './own-read';
import { PreparedNames } from './prepared-names';
import type { Registry } from './registry';
import { interceptStatements, onBeforeQuery, type QueryOptions } from './sequelize-adapter';
import { Witness, type CommitListener } from './witness';

export interface CaptureSettings {
  readonly options: ResolvedOptions;
  readonly registry: Registry;
  readonly context: ContextSettings;
  readonly commits: CommitListener;
}

/**
 * Reads of models are told apart before anything is looked at: they are most of what passes. Raw SQL may say SELECT, name a
 * model and write all the same; only finders say `tableNames`, and the library that a read is its own.
 */
function isRead({ type, tableNames, [OWN_READ]: isOwn }: QueryOptions): boolean {
  return type === 'SELECT' && (tableNames !== undefined || isOwn === true);
}

/** Puts the door into every query of a Sequelize instance. */
export class Capture {
  readonly #environment: Environment;

  constructor(sequelize: Sequelize, { options, registry, context, commits }: CaptureSettings) {
    this.#environment = new Environment({ options, labelAttribute: () => labelAttribute(context) });
    const door = new Door({
      registry,
      environment: this.#environment,
      names: new PreparedNames(options.preparedStatements),
      requireActor: options.requireActor,
      witness: new Witness(commits),
      resolveContext: (call) => resolveWriteContext(context, call),
    });
    handDownCallOptions(sequelize);
    const guard = new CaptureGuard(sequelize, registry);
    onBeforeQuery(sequelize, 'sequelize-auditlog', (call, query) => {
      if (isRead(call)) {
        if (call.transaction)
          interceptStatements(query, (client, sql, values, done) =>
            door.passRead({ options: call, client, sql, values }, done),
          );
        return;
      }
      guard.note(call);
      const audit = callOption(call);
      const heard = audit === undefined ? call : { ...call, audit };
      interceptStatements(query, (client, sql, values, done) =>
        door.pass({ options: heard, client, sql, values }, done),
      );
    });
  }

  /** What was read of the database's tables is read anew. */
  forget(): void {
    this.#environment.forget();
  }
}
