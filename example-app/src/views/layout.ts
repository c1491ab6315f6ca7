import { may } from '../middleware/current-user';
import type { User } from '../models';
import { html, type Html } from './html';
import { navLink } from './nav-link';

export interface Page {
  readonly title: string;
  readonly section?: 'orders' | 'products' | 'customers' | 'home';
  readonly body: Html;
}

interface Visitor {
  readonly user: User | undefined;
  readonly notice: string | undefined;
}

export function layout(page: Page, { user, notice }: Visitor): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · Kettle &amp; Paper</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div class="wrap">
            <a class="brand" href="/">Kettle <span>&amp;</span> Paper</a>
            ${user && navigation(page, user)}
          </div>
        </header>
        <main id="main" class="wrap">
          ${notice && html`<p class="notice" role="status">${notice}</p>`} ${page.body}
        </main>
      </body>
    </html>`;
}

function navigation({ section }: Page, user: User): Html {
  const { email } = user;
  const [name, domain] = email.split('@');
  return html`<nav aria-label="Shop">
      ${navLink('/orders', 'Orders', section === 'orders')}
      ${navLink('/products', 'Products', section === 'products')}
      ${navLink('/customers', 'Customers', section === 'customers')}
      ${may(user, 'audit:view') && navLink('/audit/', 'Audit', false)}
    </nav>
    <form class="account" method="post" action="/logout">
      <span title="${email}">${name}<span class="domain">@${domain}</span></span>
      <button class="quiet">Log out</button>
    </form>`;
}
