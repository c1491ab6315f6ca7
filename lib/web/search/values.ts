import { normaliseAddress } from '../../context/addresses';
import { addressFamily } from '../../core/node';
import type { ChoiceKey } from './entry-filter';

const MAX_BIGINT = 2n ** 63n - 1n;
const MAX_LENGTH = 2048;
/** The type `text` of PostgreSQL can't hold it, so that no entry has it. */
const NUL = '\0';

/** A key as entries hold it: of a composite one the parts are texts. */
function keyText(text: string): string {
  if (!text.startsWith('[')) return text;
  try {
    const parts: unknown = JSON.parse(text);
    const isFlat = Array.isArray(parts) && parts.every((part) => typeof part !== 'object');
    return isFlat ? JSON.stringify(parts.map(String)) : text;
  } catch {
    return text;
  }
}

/** An address, or a network as `10.0.0.0/8`. */
function addressText(text: string): string | null {
  const [host = '', bits, ...more] = text.split('/');
  const address = normaliseAddress(host);
  if (address === null || more.length > 0) return null;
  if (bits === undefined) return address;
  const highest = addressFamily(address) === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= highest ? `${address}/${Number(bits)}` : null;
}

function transactionText(text: string): string | null {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_BIGINT ? String(BigInt(text)) : null;
}

const FORMS: Partial<Record<ChoiceKey, (text: string) => string | null>> = {
  ip: addressText,
  transactionId: transactionText,
  pk: keyText,
};

const EXPECTED: Partial<Record<ChoiceKey, string>> = {
  ip: 'an address such as 10.0.0.7, or a network such as 10.0.0.0/8',
  transactionId: "an entry's transaction id (digits)",
};

/** What is wrong with a text that entries are compared with; null when nothing is. */
export function textProblem(text: string): string | null {
  if (text.includes(NUL)) return 'holds a NUL character, which no entry does';
  return text.length > MAX_LENGTH ? `is longer than ${MAX_LENGTH} characters` : null;
}

/** The value in the one form that entries have it in, or what is wrong with it. */
export function checkedValue(key: ChoiceKey, text: string): { value: string } | { problem: string } {
  const problem = textProblem(text);
  if (problem !== null) return { problem: `The value of ${key} ${problem}.` };
  const value = FORMS[key] ? FORMS[key](text) : text;
  if (value !== null) return { value };
  return { problem: `${key} must be ${EXPECTED[key]}, got "${text.slice(0, 60)}".` };
}
