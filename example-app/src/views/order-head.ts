import { html, type Content, type Html } from './html';
import { navLink } from './nav-link';

type Tab = 'order' | 'log' | 'versions' | 'past' | 'restore';

interface Head {
  readonly id: number;
  readonly title: Content;
  readonly tab: Tab;
  /** A deleted order has a log and versions, and no page of its own any more. */
  readonly exists: boolean;
}

export function orderHead({ id, title, tab, exists }: Head): Html {
  return html`<p class="crumbs"><a href="/orders">Orders</a></p>
    <h1>${title}</h1>
    <nav class="tabs" aria-label="Order ${id}">
      ${exists && navLink(`/orders/${id}`, 'Order', tab === 'order')}
      ${navLink(`/orders/${id}/log`, 'Log', tab === 'log')}
      ${navLink(`/orders/${id}/versions`, 'Versions', tab === 'versions')}
      ${navLink(`/orders/${id}/at`, 'As of', tab === 'past')}
    </nav>`;
}
