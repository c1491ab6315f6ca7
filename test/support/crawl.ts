/** What one address answered. */
export interface Seen {
  readonly url: string;
  readonly from: string;
  readonly status: number;
  readonly text: string;
}

/** Asks for an absolute path as a browser would, without following redirects. */
export type Ask = (
  method: 'GET' | 'POST',
  path: string,
) => Promise<{ status: number; text: string; location?: string }>;

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const decode = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');

const LINK = /<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"#][^"]*)"/g;
const FORM = /<form\b([^>]*)>(.*?)<\/form>/gs;
const FIELD = /<(input|select|textarea|button)\b([^>]*)>(?:(.*?)<\/select>)?/gs;

function attribute(tag: string, name: string): string | null {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`).exec(tag) ?? [];
  return value === undefined ? null : decode(value);
}

/** What a select sends: the option that is selected, else its first. */
function chosen(options: string): string {
  const tags = [...options.matchAll(/<option\b([^>]*)>/g)].map(([, tag = '']) => tag);
  return attribute(tags.find((tag) => /\sselected\b/.test(tag)) ?? tags[0] ?? '', 'value') ?? '';
}

/** What a form sends when it is sent as it stands: a time where one is required, and two of its boxes ticked. */
function fieldsOf(form: string): URLSearchParams {
  const fields = new URLSearchParams();
  let ticked = 0;
  for (const [, kind, tag = '', options = ''] of form.matchAll(FIELD)) {
    const [name, type] = [attribute(tag, 'name'), attribute(tag, 'type')];
    if (name === null || kind === 'button') continue;
    if (type === 'checkbox' && (ticked += 1) > 2) continue;
    if (type === 'radio' && !/\schecked\b/.test(tag)) continue;
    const value = kind === 'select' ? chosen(options) : (attribute(tag, 'value') ?? '');
    const isTime = type === 'datetime-local' && value === '';
    fields.append(name, isTime ? '2100-01-01T00:00' : value);
  }
  return fields;
}

/** Links and forms of a page, as absolute paths; what leads to another site is left out. */
function exits(page: string, text: string): [method: 'GET' | 'POST', path: string][] {
  const found: ['GET' | 'POST', string][] = [];
  const add = (method: 'GET' | 'POST', reference: string, fields?: URLSearchParams): void => {
    const { protocol, host, pathname, search } = new URL(reference, `http://crawl${page}`);
    const query = fields ? `?${fields.toString()}` : search;
    if (protocol === 'http:' && host === 'crawl') found.push([method, pathname + query]);
  };
  for (const [, reference = ''] of text.matchAll(LINK)) add('GET', decode(reference));
  for (const [, tag = '', form = ''] of text.matchAll(FORM)) {
    const action = attribute(tag, 'action') ?? page;
    if (attribute(tag, 'method') === 'post') add('POST', action);
    else add('GET', action, fieldsOf(form));
  }
  return found;
}

/** Addresses of one kind differ in keys, ids and values only. */
function shapeOf(method: string, path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://crawl');
  const folders = pathname.split('/').map((part) => (/^[a-z]+(\.[a-z0-9]+)*$/.test(part) ? part : '*'));
  return `${method} ${folders.join('/')} ${[...new Set(searchParams.keys())].toSorted().join()}`;
}

/**
 * Walks all pages that can be reached from one. Of addresses of the same shape only the first few are asked for; forms that
 * GET are sent as they stand, those that POST empty and without saying whence, so that they change nothing.
 */
export async function crawl(ask: Ask, start: string, { perShape = 3 } = {}): Promise<Seen[]> {
  const queue: ['GET' | 'POST', string, string][] = [['GET', start, '']];
  const met = new Set<string>();
  const shapes = new Map<string, number>();
  const seen: Seen[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [method, url, from] = next;
    const shape = shapeOf(method, url);
    const count = shapes.get(shape) ?? 0;
    if (met.has(`${method} ${url}`) || count >= perShape) continue;
    met.add(`${method} ${url}`);
    shapes.set(shape, count + 1);
    const { status, text, location } = await ask(method, url);
    seen.push({ url: `${method} ${url}`, from, status, text });
    const found = text.startsWith('<!doctype html>') ? exits(url, text) : [];
    if (location !== undefined) {
      const { pathname, search } = new URL(location, `http://crawl${url}`);
      found.push(['GET', pathname + search]);
    }
    for (const [way, path] of found) queue.push([way, path, url]);
  }
  return seen;
}
