import type { Command } from 'commander';
import type * as Months from '../../inspect/months';
import type { MonthStats } from '../../inspect/months';
import type { LogStats } from '../../inspect/stats';
import type { TimeBound } from '../../web/search/entry-filter';
import type * as Where from '../../web/search/where';
import { since } from '../arguments';
import type { Runner, Session } from '../runner';
import { grouped, size, time } from '../texts';

interface Flags {
  readonly since?: TimeBound;
}

const ONLY_ENTRIES =
  'Only entries are counted: --require names the module with the models, which may have versions too.';

function printModels({ output, hasModels }: Session, models: LogStats): void {
  const columns = [
    { head: 'MODEL' },
    { head: 'ENTRIES', align: 'right' },
    { head: 'VERSIONS', align: 'right' },
    { head: 'SIZE', align: 'right' },
    { head: 'OLDEST (UTC)' },
    { head: 'NEWEST (UTC)' },
  ] as const;
  const rows = Object.entries(models).map(([model, { entries, versions, bytes, oldest, newest }]) => [
    model,
    grouped(entries),
    hasModels ? grouped(versions) : '',
    size(bytes),
    time(oldest),
    time(newest),
  ]);
  output.table(columns, rows);
}

function printMonths({ output }: Session, months: readonly MonthStats[]): void {
  const rows = months.map(({ month, model, entries }) => [month, model, grouped(entries)]);
  output.data('');
  output.table([{ head: 'MONTH' }, { head: 'MODEL' }, { head: 'ENTRIES', align: 'right' }], rows);
}

/** The first day of a year of months, the current one included. */
function yearAgo(now: Date): TimeBound {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 11, 1));
  return { at: first.toISOString().slice(0, 10), zone: 'UTC' };
}

async function stats(session: Session, flags: Flags): Promise<void> {
  const { auditLog, foundation, hasModels, output } = session;
  const { boundSql } = require('../../web/search/where') as typeof Where;
  const { readMonths } = require('../../inspect/months') as typeof Months;
  const models = await auditLog.stats();
  const months = await readMonths(foundation.settings, boundSql(flags.since ?? yearAgo(new Date())));
  if (!hasModels) output.note(ONLY_ENTRIES);
  if (output.isJson) return output.json({ models, months });
  printModels(session, models);
  if (months.length > 0) printMonths(session, months);
  return undefined;
}

export function addStats(program: Command, runner: Runner): void {
  program
    .command('stats')
    .description('entries, versions, size, oldest and newest per model, and entries per month')
    .option('--since <time>', 'months from this time on (default: the last twelve)', since)
    .action(runner.inSession(stats));
}
