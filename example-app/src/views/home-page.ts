import { ORDER_STATUSES, type OrderStatus, type User } from '../models';
import { html, type Html } from './html';
import type { Page } from './layout';
import { changeList, type Entry } from './log-page';

interface Home {
  readonly user: User;
  readonly counts: Readonly<Partial<Record<OrderStatus, number>>>;
  readonly latest: readonly Entry[];
}

export function homePage({ user, counts, latest }: Home): Page {
  const body = html`<h1>Hello, ${user.name}</h1>
    <ul class="tiles">
      ${ORDER_STATUSES.map((status) => tile(status, counts[status] ?? 0))}
    </ul>
    <h2>What happened lately</h2>
    ${changeList(latest)}`;
  return { title: 'Home', section: 'home', body };
}

const tile = (status: OrderStatus, count: number): Html =>
  html`<li>
    <a href="/orders?status=${status}"><b>${count}</b> <span class="dot dot-${status}">${status}</span></a>
  </li>`;
