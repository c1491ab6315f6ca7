import type { Registration } from '../capture/registry';

/** Names of all that an entry of the model may hold changes of. */
export function registeredAttributes({ tracked, options }: Registration): string[] {
  return [...tracked.columns.map(({ attribute }) => attribute), ...options.associations];
}

/** Whether the text that names an object is made from one of these attributes. */
export function isReprMadeOf({ options: { repr } }: Registration, hidden: readonly string[]): boolean {
  return repr !== null && hidden.some((attribute) => repr.includes(`{${attribute}}`));
}
