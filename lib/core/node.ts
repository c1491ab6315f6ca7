import type * as Crypto from 'node:crypto';
import type * as Net from 'node:net';
import { lazily } from './lazily';

/** Node's own modules that take longest to load; most programs have them loaded by their driver. */
const crypto = lazily(() => require('node:crypto') as typeof Crypto);
const net = lazily(() => require('node:net') as typeof Net);

/** The first `length` hexadecimal digits of a digest. */
export function digestOf(algorithm: 'sha1' | 'sha256', text: string, length: number): string {
  return crypto().createHash(algorithm).update(text).digest('hex').slice(0, length);
}

export function randomUuid(): string {
  return crypto().randomUUID();
}

/** 4 or 6, and 0 for what is no address. */
export function addressFamily(text: string): number {
  return net().isIP(text);
}
