import type { WhereOptions } from 'sequelize';
import type { Registry } from '../capture/registry';
import type { LogEntryAttributes } from '../core/types';
import { registeredAttributes } from './hidden';
import type { HostRequest } from './host';
import type { ResolvedWebOptions, WebAction, WebSubject } from './options';
import { WebProblem } from './problem';

const AUTHORIZE_TIMEOUT_MS = 10_000;

const forbidden = (): WebProblem =>
  new WebProblem(403, 'Forbidden', {
    detail: 'You may not do this here. Ask whoever runs this application.',
  });

const notFound = (): WebProblem =>
  new WebProblem(404, 'Not found', { detail: 'There is nothing here, or nothing that you may see.' });

/** What one request may see and do. The host decides: nothing is implied, and doubt denies. */
export class Access {
  readonly #req: HostRequest;
  readonly #options: ResolvedWebOptions;
  readonly #registry: Registry;
  readonly #timeoutMs: number;
  readonly #models = new Map<WebAction, Promise<readonly string[]>>();
  readonly #seen = new Map<string, boolean>();

  constructor(
    req: HostRequest,
    options: ResolvedWebOptions,
    registry: Registry,
    timeoutMs = AUTHORIZE_TIMEOUT_MS,
  ) {
    this.#req = req;
    this.#options = options;
    this.#registry = registry;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether the host allows this; asked anew each time. */
  async may(subject: WebSubject): Promise<boolean> {
    const { authorize, revert } = this.#options;
    if (!authorize || (subject.action === 'revert' && !revert)) return false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#timeoutMs).unref();
    });
    try {
      return (await Promise.race([authorize(this.#req, subject), late])) === true;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Names of the registered models for which the action is allowed, in alphabetical order; asked once per request. */
  models(action: WebAction): Promise<readonly string[]> {
    const known = this.#models.get(action) ?? this.#askModels(action);
    this.#models.set(action, known);
    return known;
  }

  async #askModels(action: WebAction): Promise<readonly string[]> {
    const names = this.#registry.registrations.map(({ name }) => name).toSorted();
    const allowed = await Promise.all(names.map((model) => this.may({ action, model })));
    return names.filter((_, index) => allowed[index]);
  }

  /** The models of a list across models. @throws {WebProblem} 403 when there is none */
  async requireModels(action: WebAction): Promise<readonly string[]> {
    const models = await this.models(action);
    if (models.length === 0) throw forbidden();
    return models;
  }

  /**
   * Asks about one object. An object that may not be seen answers as one that does not exist, unless nothing may be seen at all.
   *
   * @throws {WebProblem} 403, 404
   */
  async requireObject(model: string, pk: string): Promise<void> {
    if (await this.may({ action: 'view', model, pk })) return;
    await this.requireModels('view');
    throw notFound();
  }

  /** Asks about changing or exporting what may be seen. @throws {WebProblem} 403 */
  async require(subject: WebSubject): Promise<void> {
    if (!(await this.may(subject))) throw forbidden();
  }

  /** The tenant's condition; null for all. @throws what the host's function throws: a scope that fails must not widen */
  get scope(): WhereOptions<LogEntryAttributes> | null {
    const { scope } = this.#options;
    if (!scope) return null;
    const where: unknown = scope(this.#req);
    if (typeof where === 'object' && where !== null && !(where instanceof Promise))
      return where as WhereOptions<LogEntryAttributes>;
    throw new TypeError(
      'auditRouter: scope must return a condition over LogEntry at once, such as { actorId: 7 }.',
    );
  }

  /** Whether values of the attribute or association are shown. Asked once per request and attribute. */
  sees(model: string, attribute: string): boolean {
    const key = JSON.stringify([model, attribute]);
    const known = this.#seen.get(key) ?? this.#asksToSee(model, attribute);
    this.#seen.set(key, known);
    return known;
  }

  #asksToSee(model: string, attribute: string): boolean {
    const { canSee } = this.#options;
    if (!canSee) return true;
    try {
      return canSee(this.#req, model, attribute) === true;
    } catch {
      return false;
    }
  }

  /** Attributes and associations of a registered model whose values this request doesn't see. */
  hidden(model: string): readonly string[] {
    const registration = this.#options.canSee ? this.#registry.findByName(model) : null;
    return registration ? registeredAttributes(registration).filter((name) => !this.sees(model, name)) : [];
  }
}

export { forbidden, notFound };
