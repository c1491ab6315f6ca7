import type { Registration } from '../capture/registry';

/** `customerName` as `customer name`; capitals of abbreviations stay. */
function words(name: string): string {
  return name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replaceAll(/[_\s]+/g, ' ')
    .trim()
    .replaceAll(/\p{Lu}\p{Ll}*/gu, (word) => (/\p{Ll}/u.test(word) ? word.toLowerCase() : word));
}

/** Names come from entries and addresses: `constructor` is one like others. */
function labelOf(registration: Registration | null, name: string): string | undefined {
  const labels = registration?.options.labels ?? {};
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

/** What an attribute or association is called within a sentence: the registration's label, else the words of its name. */
export function fieldWords(registration: Registration | null, name: string): string {
  return labelOf(registration, name) ?? (words(name) || name);
}

/** With a capital at its beginning; a word that has one inside, such as `iPhone` or `eCommerce`, is written as it is. */
export function capitalised(text: string): string {
  if (/^\S*\p{Lu}/u.test(text)) return text;
  const [first = ''] = text;
  return first.toUpperCase() + text.slice(first.length);
}

/** The same at the head of a row: `Customer name`. */
export function fieldLabel(registration: Registration | null, name: string): string {
  const text = labelOf(registration, name) ?? (words(name) || name);
  return capitalised(text);
}
