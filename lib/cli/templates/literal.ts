/** A text as a constant of JavaScript. */
function textLiteral(text: string): string {
  const inner = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"');
  return `'${inner.replaceAll("'", String.raw`\'`)}'`;
}

/** A member of an object, `name: value`. */
export function memberOf([key, value]: [string, unknown]): string {
  const name = /^[a-z_$][\w$]*$/i.test(key) ? key : textLiteral(key);
  return `${name}: ${literal(value)}`;
}

/** Data as source text on one line; members that are undefined are left out. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return textLiteral(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return members.length === 0 ? '{}' : `{ ${members.map(memberOf).join(', ')} }`;
}
