/** Members of a problem beside its status and title. */
export interface ProblemDetails {
  /** What happened this time and what to do, for a person. */
  readonly detail?: string;
  /** The parameter that is wrong. */
  readonly parameter?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is no success: a page for people, `application/problem+json` (RFC 9457) for programs. */
export class WebProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  readonly parameter: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    { detail, parameter, headers = {}, cause }: ProblemDetails = {},
  ) {
    super(detail ?? title, { cause });
    this.name = 'WebProblem';
    this.status = status;
    this.title = title;
    this.detail = detail ?? null;
    this.parameter = parameter ?? null;
    this.headers = headers;
  }
}
