import type { HostRequest, HostResponse } from './host';
import { WebProblem } from './problem';
import type { ResolvedWebOptions } from './options';

/** Without `upgrade-insecure-requests`, which breaks hosts that speak plain http. */
const POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";
const POLICY_HEADER = 'content-security-policy';

/** Headers of every answer. A policy of the host's own stays. */
export function secure(res: HostResponse): void {
  if (!res.hasHeader(POLICY_HEADER)) res.setHeader(POLICY_HEADER, POLICY);
  if (!res.hasHeader('x-frame-options')) res.setHeader('x-frame-options', 'SAMEORIGIN');
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('x-robots-tag', 'noindex');
  // With no-referrer, which helmet sets, browsers send "Origin: null" with forms, and over plain http nothing else tells whence.
  res.setHeader('referrer-policy', 'same-origin');
  vary(res, ['Accept-Language', 'Cookie']);
}

function vary(res: HostResponse, names: readonly string[]): void {
  const present = String(res.getHeader('vary') ?? '');
  const known = present.split(',').map((name) => name.trim().toLowerCase());
  if (known.includes('*')) return;
  const added = names.filter((name) => !known.includes(name.toLowerCase()));
  res.setHeader('vary', [present, ...added].filter(Boolean).join(', '));
}

/** The sources that a policy names for what a page wants to load; null where it says nothing. */
function sourcesOf(policy: string, directive: string): readonly string[] | null {
  const directives = policy.split(';').map((one) => one.trim().toLowerCase().split(/\s+/));
  const find = (wanted: string): string[] | undefined =>
    directives.find(([name]) => name === wanted)?.slice(1);
  return find(directive) ?? find('default-src') ?? null;
}

/**
 * Whether the policy of this answer lets a page load something from its own origin. What it forbids is not asked for, so that
 * no browser reports it to the host.
 */
export function permits(res: HostResponse, directive: 'connect-src' | 'img-src'): boolean {
  const policies = [res.getHeader(POLICY_HEADER) ?? []].flat().map(String);
  return policies.every((policy) => {
    const sources = sourcesOf(policy, directive);
    return sources === null || sources.includes("'self'") || sources.includes('*');
  });
}

interface ExpressApp {
  get(setting: 'trust proxy fn'): ((address: string | undefined, hop: number) => boolean) | undefined;
}

/** The names under which this host may have been called: its own, and what a proxy says that the host trusts. */
function ownHosts(req: HostRequest): readonly (string | undefined)[] {
  const { app, headers, socket } = req as HostRequest & { readonly app?: ExpressApp };
  const forwarded = String(headers['x-forwarded-host'] ?? '')
    .split(',')[0]
    ?.trim();
  const isTrusted = forwarded && app?.get('trust proxy fn')?.(socket.remoteAddress, 0);
  return isTrusted ? [headers.host, forwarded] : [headers.host];
}

function isOwnOrigin(req: HostRequest, origin: string): boolean {
  try {
    const { host } = new URL(origin);
    return host !== '' && ownHosts(req).includes(host);
  } catch {
    return false;
  }
}

/** Browsers say where a request comes from; what doesn't say it is refused, programs included, unless they set `Origin`. */
function isSameOrigin(req: HostRequest): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = req.headers;
  return origin !== undefined && isOwnOrigin(req, origin);
}

/** @throws {WebProblem} 403 for a change that another site may have forged */
export function requireSameOrigin(req: HostRequest): void {
  if (isSameOrigin(req)) return;
  throw new WebProblem(403, 'Forged request', {
    detail:
      'This change did not come from a page of this site. Programs send the header Origin with the address of this host.',
  });
}

/** The host's token for forms, if it uses some. */
export function csrfField(
  { csrf }: ResolvedWebOptions,
  req: HostRequest,
): { readonly name: string; readonly value: string } | null {
  return csrf && { name: csrf.field, value: String(csrf.token(req)) };
}
