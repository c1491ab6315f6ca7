import type * as Crypto from 'node:crypto';
import type * as Streams from 'node:stream';
import type { Writable } from 'node:stream';
import { AuditError } from '../core/errors';
import { lazily } from '../core/lazily';

const crypto = lazily(() => require('node:crypto') as typeof Crypto);
const streams = lazily(() => require('node:stream') as typeof Streams);

function incomplete(seen: string, cause?: unknown): AuditError {
  const message = `auditLog.export: ${seen} before every entry was written, so what was written is not whole. Export again to a stream that stays open.`;
  return new AuditError('ERR_AUDIT_EXPORT_FAILED', message, cause === undefined ? {} : { cause });
}

export interface OutputOptions {
  /** Whether the stream is the export's: ended when all is written, destroyed when it can't be. */
  readonly owns: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * The stream that an export is written to, page by page: none before the one before it has left the buffer. A stream that fails or
 * is closed ends every wait.
 */
export class Output {
  readonly #to: Writable;
  readonly #options: OutputOptions;
  readonly #hash = crypto().createHash('sha256');
  readonly #unlisten: () => void;
  #bytes = 0;
  #failure: AuditError | null = null;
  /** Chunks that the stream hasn't said to be written. */
  #unwritten = 0;
  #isFull = false;
  #isEnding = false;
  #isFinished = false;
  #wake: () => void = () => undefined;

  constructor(to: Writable, options: OutputOptions) {
    this.#to = to;
    this.#options = options;
    this.#unlisten = this.#listen();
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** @throws {AuditError} ERR_AUDIT_EXPORT_FAILED */
  requireOpen(): void {
    if (this.#failure) throw this.#failure;
  }

  /** SHA-256 of all that was written; to be asked once. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** @throws {AuditError} ERR_AUDIT_EXPORT_FAILED */
  async write(text: string): Promise<void> {
    if (text === '') return;
    this.requireOpen();
    const chunk = Buffer.from(text);
    this.#unwritten += 1;
    // Middleware that compresses a response calls nothing back, but hands on "drain".
    this.#isFull = !this.#to.write(chunk, () => this.#told(() => (this.#unwritten -= 1)));
    await this.#until(() => !this.#isFull);
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Ends a stream that is the export's. @throws {AuditError} ERR_AUDIT_EXPORT_FAILED */
  async end(): Promise<void> {
    this.requireOpen();
    if (this.#options.owns) {
      this.#isEnding = true;
      this.#to.end();
      await this.#until(() => this.#isFinished);
    } else if (this.#to instanceof streams().Writable) {
      // Of a response only its end is told for sure.
      await this.#until(() => this.#unwritten === 0);
    }
    this.#unlisten();
  }

  /** What is incomplete must not look whole: a stream that is the export's breaks off. */
  abandon(): void {
    this.#unlisten();
    if (!this.#options.owns) return;
    // Nobody else need listen to what this stream still has to say.
    this.#to.on('error', () => undefined);
    this.#to.destroy();
  }

  #listen(): () => void {
    const [to, { signal }] = [this.#to, this.#options];
    if (to.destroyed || to.writableEnded) this.#fail(incomplete('the stream was closed'));
    const stop = streams().finished(to, { readable: false }, (error) => this.#onEnd(error));
    const onDrain = (): void => this.#told(() => (this.#isFull = false));
    to.on('drain', onDrain);
    const onAbort = (): void => this.#fail(incomplete('it was aborted', signal?.reason));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    return () => {
      stop();
      to.off('drain', onDrain);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #onEnd(error: Error | null | undefined): void {
    if (error) this.#fail(incomplete('the stream failed or was closed', error));
    else if (this.#isEnding) this.#told(() => (this.#isFinished = true));
    else this.#fail(incomplete('the stream was ended'));
  }

  #fail(failure: AuditError): void {
    this.#told(() => (this.#failure ??= failure));
  }

  #told(change: () => void): void {
    change();
    this.#wake();
  }

  /** Waits until something told makes `isDone` true. @throws {AuditError} ERR_AUDIT_EXPORT_FAILED */
  async #until(isDone: () => boolean): Promise<void> {
    while (!this.#failure && !isDone()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.requireOpen();
  }
}
