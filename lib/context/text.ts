const UNSTORABLE = /[\0\ud800-\udfff]/;

/**
 * A text as PostgreSQL can hold it: without NUL, lone surrogates replaced by U+FFFD.
 *
 * @example
 * storableText('a\0b\ud800'); // 'ab\ufffd'
 */
export function storableText(text: string): string {
  if (!UNSTORABLE.test(text)) return text;
  // With the flag `u` paired surrogates are one character, so that only lone ones match.
  return text.replaceAll('\0', '').replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * At most `max` UTF-16 units of a storable text, never half of a pair.
 *
 * @example
 * boundedText('abcdef', 3); // 'abc'
 */
export function boundedText(text: string, max: number): string {
  // Cut before cleaning, so that a hostile megabyte is not walked; cleaning never makes a text longer.
  if (text.length <= max) return storableText(text);
  const halvesPair = /[\ud800-\udbff]/.test(text.charAt(max - 1));
  return storableText(text.slice(0, halvesPair ? max - 1 : max));
}
