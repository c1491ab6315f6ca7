import type { ActorInput } from './types';

/** The option `audit` of every Sequelize write call. `false` leaves no entry. */
export type AuditCallOption =
  | false
  | {
      /** Why; kept on the entry and the version. */
      readonly reason?: string | null;
      /** Who; an explicit null wins over every context. */
      readonly actor?: ActorInput;
      /** Free extras, merged over those of the context. */
      readonly additionalData?: Readonly<Record<string, unknown>> | null;
    };

declare module 'sequelize' {
  interface Transactionable {
    /** Auditing of this one call: `false` leaves no entry; `{ reason, actor, additionalData }` go to every row it writes. */
    audit?: AuditCallOption | undefined;
  }
}
