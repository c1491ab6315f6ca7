import { AuditError } from '../../core/errors';
import { checkKeys, didYouMean, invalidOption } from '../../core/suggest';
import { COMMON } from './common';
import { FEED } from './feed';
import { MODELS } from './models';
import { OBJECT } from './object';
import { REVERT } from './revert';
import { SCRIPT } from './script';

/** Every text of the pages, in English. */
export const MESSAGES = { ...COMMON, ...FEED, ...OBJECT, ...REVERT, ...MODELS, ...SCRIPT } as const;

export type MessageKey = keyof typeof MESSAGES;
/** All texts by key; a host overrides those it wants to say otherwise. */
export type Messages = Record<MessageKey, string>;

type CountedKey<K> = K extends `${infer Base}.other` ? Base : never;
/** Keys with a form for one and one for many. */
export type CountedMessageKey = CountedKey<MessageKey>;

/** @throws {AuditError} ERR_AUDIT_INVALID_OPTION */
export function checkMessages(where: string, messages: unknown): void {
  checkKeys(`${where}: messages`, messages, Object.keys(messages as object));
  for (const [key, text] of Object.entries(messages as object)) {
    if (typeof text !== 'string') invalidOption(where, `messages["${key}"]`, 'a text', text);
    if (Object.hasOwn(MESSAGES, key) || isPluralForm(key)) continue;
    const message = `${where}: messages has no text "${key}".${didYouMean(key, Object.keys(MESSAGES))}`;
    throw new AuditError('ERR_AUDIT_INVALID_OPTION', message);
  }
}

/** Other languages have more forms than English: `few`, `many`, `two`, `zero`. */
function isPluralForm(key: string): boolean {
  const base = /^(.+)\.(?:zero|two|few|many)$/.exec(key)?.[1];
  return base !== undefined && Object.hasOwn(MESSAGES, `${base}.other`);
}
