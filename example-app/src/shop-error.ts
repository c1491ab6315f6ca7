export type FieldErrors = Readonly<Record<string, string>>;

/** A refusal that is the caller's to know about, with the HTTP status that says so. */
export class ShopError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields?: FieldErrors,
  ) {
    super(message);
    this.name = 'ShopError';
  }
}

export const notFound = (what: string): ShopError => new ShopError(404, `${what} was not found.`);
