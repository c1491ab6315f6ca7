import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Taken {
  readonly id: string;
  readonly transactionId: string;
}

type Answer = (request: number, res: ServerResponse) => void;

const OK: Answer = (_request, res) => void res.end();

/** Another system that takes entries over HTTP; `answer` may fail, also after the entries were taken. */
export class Receiver {
  readonly taken: Taken[] = [];
  readonly keys: string[] = [];
  answer: Answer = OK;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((req, res) => void this.#take(req, res));
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/audit`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get ids(): string[] {
    return [...new Set(this.taken.map(({ id }) => id))];
  }

  async #take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { entries } = (await json(req)) as { entries: Taken[] };
    this.keys.push(String(req.headers['idempotency-key']));
    this.taken.push(...entries);
    this.answer(this.keys.length, res);
  }
}
