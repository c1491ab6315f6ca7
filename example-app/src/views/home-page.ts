import { may } from '../middleware/current-user';
import { type Alert, ORDER_STATUSES, type OrderStatus, type User } from '../models';
import { time } from './format';
import { html, type Html } from './html';
import type { Page } from './layout';
import { changeList, type Entry } from './log-page';

interface Home {
  readonly user: User;
  readonly counts: Readonly<Partial<Record<OrderStatus, number>>>;
  readonly latest: readonly Entry[];
  /** Empty for who may not see the log. */
  readonly alerts: readonly Alert[];
}

export function homePage({ user, counts, latest, alerts }: Home): Page {
  const body = html`<h1>Hello, ${user.name}</h1>
    <ul class="tiles">
      ${ORDER_STATUSES.map((status) => tile(status, counts[status] ?? 0))}
    </ul>
    ${alerts.length > 0 && alertList(alerts)}
    <h2>What happened lately</h2>
    ${changeList(latest)} ${may(user, 'bulk-edit') && fiftyEdits}`;
  return { title: 'Home', section: 'home', body };
}

const tile = (status: OrderStatus, count: number): Html =>
  html`<li>
    <a href="/orders?status=${status}"><b>${count}</b> <span class="dot dot-${status}">${status}</span></a>
  </li>`;

const alertList = (alerts: readonly Alert[]): Html =>
  html`<h2>Alerts</h2>
    <ol class="feed">
      ${alerts.map(
        ({ createdAt, entryId, text }) =>
          html`<li>
            ${time(createdAt)} <span><a href="/audit/e/${entryId}">${text}</a></span>
          </li>`,
      )}
    </ol>`;

const fiftyEdits = html`<section class="card">
  <h2>For the demo</h2>
  <form method="post" action="/demo/fifty-edits">
    <p class="hint">
      Adds one piece of the first product fifty times at once, each in a transaction of its own. The database
      gets as many at a time as the shop has connections. Then it looks whether the log has fifty entries
      without a gap.
    </p>
    <button>Make 50 edits at once</button>
  </form>
</section>`;
