import { addressFamily } from '../core/node';

/** As Node writes it for IPv4 clients of a dual-stack socket. */
const USUAL_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const MAPPED = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/;

/** The IPv4 address inside an IPv4-mapped IPv6 address, in whichever spelling; else null. */
function mappedIPv4(address: string): string | null {
  const usual = USUAL_MAPPED.exec(address)?.[1];
  if (usual !== undefined) return usual;
  if (!/:ffff:/i.test(address)) return null;
  // The URL parser knows every spelling and gives the canonical one.
  const [, high = '', low = ''] = MAPPED.exec(new URL(`http://[${address}]`).hostname) ?? [];
  if (high === '') return null;
  const bytes = [Number.parseInt(high, 16), Number.parseInt(low, 16)].flatMap((pair) => [
    pair >> 8,
    pair & 0xff,
  ]);
  return bytes.join('.');
}

/**
 * An address as `inet` holds it: the zone stripped, an IPv4-mapped one as IPv4; whatever is no address (with a port, in brackets,
 * a list, a name) is null.
 *
 * @example
 * normaliseAddress('::ffff:10.0.0.1'); // '10.0.0.1'
 * normaliseAddress('fe80::1%eth0'); // 'fe80::1'
 */
export function normaliseAddress(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const family = addressFamily(value);
  if (family === 4) return value;
  if (family === 0) return null;
  const [address = ''] = value.split('%');
  return mappedIPv4(address) ?? address;
}

/**
 * A port from 0 to 65535, else null.
 *
 * @example
 * normalisePort(-1); // null
 */
export function normalisePort(value: unknown): number | null {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
    ? (value as number)
    : null;
}
