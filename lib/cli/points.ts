import { InvalidArgumentError } from 'commander';
import { parseTime, type PointInTime } from '../history/point-in-time';
import type { NamedObject } from './objects';
import type { Session } from './runner';

/** A point in time as it is written on the command line. */
export type WrittenPoint =
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'entry' | 'version'; readonly id: string }
  | { readonly kind: 'current' };

const RECORD = /^(?:(entry|version):)?(\d{1,19})$/;
const SPAN = /^(\d{1,6})([mhdw])$/i;
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const EXPECTED =
  'Expected a time (2026-11-21T20:17:26Z; UTC without zone), a span before now (90d; also m, h, w), an entry (123 or entry:123) or a version (version:45).';

/** The time that a span before now means. */
function timeAgo(value: string): string | null {
  const [, count, unit] = SPAN.exec(value) ?? [];
  if (count === undefined) return null;
  const ms = Number(count) * UNITS_MS[unit!.toLowerCase() as keyof typeof UNITS_MS];
  return new Date(Date.now() - ms).toISOString();
}

/** For options that name a point of the past. */
export function point(value: string): WrittenPoint {
  const [, kind = 'entry', id] = RECORD.exec(value) ?? [];
  if (id !== undefined) return { kind: kind as 'entry' | 'version', id };
  const text = timeAgo(value) ?? value;
  if (parseTime(text) !== null) return { kind: 'time', text };
  throw new InvalidArgumentError(EXPECTED);
}

/** For options that may also mean the present. */
export function pointOrCurrent(value: string): WrittenPoint {
  return value === 'current' ? { kind: 'current' } : point(value);
}

/** As it is said to a person. */
export function pointText(written: WrittenPoint): string {
  if (written.kind === 'current') return 'now';
  return written.kind === 'time' ? written.text : `${written.kind} ${written.id}`;
}

/** What the members of a model take; the present is `'current'`. @throws {Error} when there is no such entry or version */
export async function pointInTime(
  { auditLog }: Session,
  { handle, registration }: NamedObject,
  written: WrittenPoint,
): Promise<PointInTime> {
  if (written.kind === 'current') return 'current';
  if (written.kind === 'time') return written.text;
  const found =
    written.kind === 'entry'
      ? await auditLog.LogEntry.findByPk(written.id)
      : await handle.Snapshot.findOne({ where: { historyId: written.id } as never });
  if (found) return found as PointInTime;
  const of = written.kind === 'version' ? ` of ${registration.name}` : '';
  throw new Error(`There is no ${written.kind} ${written.id}${of}.`);
}
