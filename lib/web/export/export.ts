import type { WhereOptions } from 'sequelize';
import { inContextOf } from '../../context/storage';
import { isAuditError } from '../../core/errors';
import { didYouMean } from '../../core/suggest';
import type { LogEntryAttributes } from '../../core/types';
import { exportEntries, type ExportResult } from '../../history/export';
import type { ExportFormat } from '../../history/export-format';
import { recordAccess } from '../../history/log';
import { forbidden } from '../access';
import type { Answer } from '../answers';
import type { HostRequest, HostResponse } from '../host';
import { WebProblem } from '../problem';
import { selectedWhere } from '../reading/selection';
import { FILTER_PARAMETERS, filterOfParams, filterToParams } from '../search/filter';
import type { EntryFilter } from '../search/entry-filter';
import { formatSearch } from '../search/language';
import { unseenBy } from '../search/unseen';
import { visibleWhere } from '../visible';
import type { Visit } from '../visit';

const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

const PARAMETERS = [...FILTER_PARAMETERS, 'tz'];
/** Characters of the filter in the name of the file. */
const MAX_NAME_LENGTH = 80;

/** A misspelt filter would export everything. @throws {WebProblem} 400 */
function checkParameters(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (PARAMETERS.includes(name)) continue;
    const detail = `There is no parameter "${name.slice(0, 60)}".${didYouMean(name, PARAMETERS)} An export takes ${PARAMETERS.join(', ')}, and is always whole.`;
    throw new WebProblem(400, 'Unknown parameter', { detail, parameter: name });
  }
}

/** Who may export a model must also be allowed to view it. @throws {WebProblem} 403 when none is left */
async function exportedModels({ access }: Visit): Promise<readonly string[]> {
  const [exported, viewed] = [await access.requireModels('export'), await access.models('view')];
  const both = exported.filter((model) => viewed.includes(model));
  if (both.length === 0) throw forbidden();
  return both;
}

interface Export {
  readonly format: ExportFormat;
  readonly filter: EntryFilter;
  readonly where: WhereOptions<LogEntryAttributes>;
  readonly at: Date;
}

async function askedOf(visit: Visit, format: ExportFormat): Promise<Export> {
  const models = await exportedModels(visit);
  checkParameters(visit.query);
  const filter = filterOfParams(visit.query, visit.clock.zone);
  const { settings } = visit.web;
  const seen = { where: visibleWhere(visit, models), unseen: unseenBy(visit.access, settings.registry) };
  const where = await visit.read((transaction) => selectedWhere(settings, { ...seen, filter, transaction }));
  return { format, filter, where, at: new Date() };
}

/** Tells what is in the file: `audit-log_model-Order_20261122T083000Z.csv`. */
function fileName({ format, filter, at }: Export): string {
  const search = formatSearch(filter).replaceAll(/[^A-Za-z0-9.]+/g, '-');
  const name = search.slice(0, MAX_NAME_LENGTH).replaceAll(/^[-.]+|[-.]+$/g, '');
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return ['audit-log', ...(name === '' ? [] : [name]), `${time}.${format}`].join('_');
}

/** The filter, as the query of an address, in which every text is ASCII. */
function filterText({ filter }: Export): string {
  return filterToParams(filter).toString();
}

function headersOf(asked: Export): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    'content-type': CONTENT_TYPES[asked.format],
    'content-disposition': `attachment; filename="${fileName(asked)}"`,
    'x-audit-filter': filterText(asked),
    'x-audit-exported-at': asked.at.toISOString(),
  };
}

const TRAILERS = { entries: 'x-audit-entries', sha256: 'x-audit-sha256' } as const;

/** How much the file holds is known when it is written: it follows, for whoever says to understand that. */
function takesTrailers({ headers, httpVersion }: HostRequest): boolean {
  return httpVersion === '1.1' && /\btrailers\b/i.test(String(headers.te ?? ''));
}

/** With `recordViews`: kept before anything is sent. It is about the log itself, so no list across models shows it. */
async function record({ req, web }: Visit, asked: Export): Promise<void> {
  if (!web.options.recordViews) return;
  const subject = { model: 'LogEntry', objectPk: null, objectRepr: 'Audit log' };
  const data = { export: { format: asked.format, filter: filterText(asked) } };
  await inContextOf(req as never, () => recordAccess(web.settings, subject, data));
}

function write(visit: Visit, res: HostResponse, { format, where }: Export): Promise<ExportResult> {
  return exportEntries(visit.web.settings, {
    format,
    where,
    to: res,
    end: false,
    map: (entry) => visit.entries.view(entry),
    added: ['hiddenChanges'],
    read: (work) => visit.read(work),
  });
}

async function send(visit: Visit, res: HostResponse, asked: Export): Promise<void> {
  const hasTrailers = takesTrailers(visit.req);
  await record(visit, asked);
  if (hasTrailers) res.setHeader('trailer', Object.values(TRAILERS).join(', '));
  const { entries, sha256 } = await write(visit, res, asked);
  if (hasTrailers) res.addTrailers({ [TRAILERS.entries]: String(entries), [TRAILERS.sha256]: sha256 });
  res.end();
}

/** Whoever left is no fault of the host's. */
function hasLeft(error: unknown): boolean {
  return isAuditError(error) && error.code === 'ERR_AUDIT_EXPORT_FAILED';
}

/** Half a file must not look whole: what fails on the way breaks the connection, before that it is a problem like any other. */
async function stream(visit: Visit, res: HostResponse, asked: Export): Promise<void> {
  try {
    await send(visit, res, asked);
  } catch (error) {
    if (res.headersSent || hasLeft(error)) res.destroy();
    else for (const name of [...Object.keys(headersOf(asked)), 'trailer']) res.removeHeader(name);
    if (!hasLeft(error)) throw error;
  }
}

async function answer(visit: Visit, format: ExportFormat): Promise<Answer> {
  const asked = await askedOf(visit, format);
  return { status: 200, headers: headersOf(asked), body: (res) => stream(visit, res, asked) };
}

/** The entries of a filter as CSV, oldest first. */
export function exportCsv(visit: Visit): Promise<Answer> {
  return answer(visit, 'csv');
}

/** The entries of a filter as JSON, an entry per line, as the API shows it, oldest first. */
export function exportNdjson(visit: Visit): Promise<Answer> {
  return answer(visit, 'ndjson');
}
