import type { WriteContext } from '../core/types';
import { quoteIdentifier, quoteTable } from '../schema/quote';
import type { ActorRow } from './plan';

/** The binds of one write's context, numbered after those of the write itself. */
export interface ContextBinds {
  readonly actorId: string;
  readonly actorLabel: string;
  readonly actorType: string;
  readonly remoteAddr: string;
  readonly remotePort: string;
  readonly correlationId: string;
  readonly request: string;
  readonly reason: string;
  readonly additionalData: string;
}

/** @param used binds of the write itself @param actorRow given when the label is read from the actor's row */
export function contextBinds(used: number, actorRow: ActorRow | null): ContextBinds {
  const bind = (place: number, type: string): string => `$${used + place}::${type}`;
  const actorId = bind(1, 'text');
  return {
    actorId,
    actorLabel: actorRow ? labelFromRow(actorRow, actorId, bind(2, 'text')) : bind(2, 'text'),
    actorType: bind(3, 'text'),
    remoteAddr: bind(4, 'inet'),
    remotePort: bind(5, 'integer'),
    correlationId: bind(6, 'text'),
    request: bind(7, 'text'),
    reason: bind(8, 'text'),
    additionalData: bind(9, 'jsonb'),
  };
}

const INTEGER_TYPES = new Set(['smallint', 'integer', 'bigint']);

/** @param type PostgreSQL's name of the key's type */
export function keyKindOf(type: string): ActorRow['keyKind'] {
  const name = type.toLowerCase();
  if (INTEGER_TYPES.has(name)) return 'integer';
  return name === 'uuid' ? 'uuid' : 'text';
}

/** A little less than bigint holds. */
const INTEGER = '^-?([0-9]{1,18}|[0-8][0-9]{18}|9[01][0-9]{17})$';
const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

/** Whether a row has this key: a cast of an id that the key can't hold would fail the application's write. */
function hasKey({ keyColumn, keyKind }: ActorRow, id: string): string {
  const column = quoteIdentifier(keyColumn);
  if (keyKind === 'text') return `${column}::text = ${id}`;
  const [pattern, type] = keyKind === 'integer' ? [INTEGER, 'bigint'] : [UUID, 'uuid'];
  return `${column} = (case when ${id} ~ '${pattern}' then ${id} end)::${type}`;
}

/** In the same statement, so that a label costs no round trip; a row that is gone leaves the id as label. */
function labelFromRow(row: ActorRow, actorId: string, fallback: string): string {
  const label = `left(${quoteIdentifier(row.labelColumn)}::text, 255)`;
  return `coalesce((select ${label} from ${quoteTable(row.table)} where ${hasKey(row, actorId)} limit 1), ${fallback}, ${actorId})`;
}

/** The values for `contextBinds`, in its order. */
export function contextValues(context: WriteContext): readonly unknown[] {
  return [
    context.actorId,
    context.actorLabel,
    context.actorType,
    context.remoteAddr,
    context.remotePort,
    context.correlationId,
    context.request,
    context.reason,
    context.additionalData,
  ];
}
