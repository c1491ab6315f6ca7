/** Segments that browsers take for "this folder" and "the one above", in whatever encoding, and the empty one. */
const UNSAFE_SEGMENT = /^\.{0,2}$/;
/** Stands in a path for a value that follows in the query. */
export const IN_QUERY = '-';

/** A value as a path segment, or the placeholder and the value for the query. */
function segment(name: string, value: string): { path: string; query: Record<string, string> } {
  if (!UNSAFE_SEGMENT.test(value) && value !== IN_QUERY)
    return { path: encodeURIComponent(value), query: {} };
  return { path: IN_QUERY, query: { [name]: value } };
}

type Query = Readonly<Record<string, string | null | undefined>> | URLSearchParams;

function queryText(...parts: readonly Query[]): string {
  const pairs = parts
    .flatMap((part) => (part instanceof URLSearchParams ? [...part] : Object.entries(part)))
    .filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

/** Path of an object's timeline, relative to the mount. */
export function objectPath(model: string, pk: string): string {
  const [name, key] = [segment('model', model), segment('pk', pk)];
  return `o/${name.path}/${key.path}${queryText({ ...name.query, ...key.query })}`;
}

/** How far below the mount a path lies, as the way up. */
export function rootOf(path: string): string {
  const depth = path.split('/').length - 2;
  return '../'.repeat(depth) || './';
}

/** Links of one page: relative to it, so that no proxy or mount has to be known. The zone goes along. */
export class Urls {
  /** The mount, relative to the page: `./`, `../`, or the `basePath` of the options. */
  readonly root: string;
  readonly #keep: Query;

  constructor(root: string, tz: string | null = null) {
    this.root = root;
    this.#keep = { tz };
  }

  /** A path below the mount, with a query. */
  to(path: string, ...query: readonly Query[]): string {
    return `${this.root}${path}${queryText(...query, this.#keep)}`;
  }

  feed(query: Query = {}): string {
    return this.to('', query);
  }

  entry(id: string): string {
    return this.to(`e/${encodeURIComponent(id)}`);
  }

  object(model: string, pk: string, query: Query = {}): string {
    return this.#object(model, pk, '', query);
  }

  at(model: string, pk: string, query: Query = {}): string {
    return this.#object(model, pk, '/at', query);
  }

  diff(model: string, pk: string, query: Query = {}): string {
    return this.#object(model, pk, '/diff', query);
  }

  revert(model: string, pk: string, query: Query = {}): string {
    return this.#object(model, pk, '/revert', query);
  }

  request(correlationId: string, query: Query = {}): string {
    return this.#named('r', 'correlationId', correlationId, query);
  }

  transaction(transactionId: string, query: Query = {}): string {
    return this.to(`t/${encodeURIComponent(transactionId)}`, query);
  }

  actor(actorId: string, query: Query = {}): string {
    return this.#named('a', 'actorId', actorId, query);
  }

  deleted(query: Query = {}): string {
    return this.to('deleted', query);
  }

  models(): string {
    return this.to('models');
  }

  export(format: 'csv' | 'ndjson', query: Query = {}): string {
    return this.to(`export.${format}`, query);
  }

  asset(file: string): string {
    return `${this.root}assets/${file}`;
  }

  #named(folder: string, name: string, value: string, query: Query): string {
    const { path, query: extra } = segment(name, value);
    return this.to(`${folder}/${path}`, extra, query);
  }

  #object(model: string, pk: string, page: string, query: Query): string {
    const [name, key] = [segment('model', model), segment('pk', pk)];
    return this.to(`o/${name.path}/${key.path}${page}`, { ...name.query, ...key.query }, query);
  }
}
