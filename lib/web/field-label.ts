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

/** What an attribute or association is called within a sentence: the registration's label, else the words of its name. */
export function fieldWords(registration: Registration | null, name: string): string {
  return registration?.options.labels[name] ?? (words(name) || name);
}

/** The same at the head of a row: `Customer name`. */
export function fieldLabel(registration: Registration | null, name: string): string {
  const label = registration?.options.labels[name];
  if (label !== undefined) return label;
  const text = words(name) || name;
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
