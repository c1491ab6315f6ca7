import type { ShopError } from '../shop-error';
import { html } from './html';
import type { Page } from './layout';

const TITLES: Readonly<Record<number, string>> = {
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not now',
  422: 'Not quite',
};

export function errorPage({ status, message, fields }: ShopError): Page {
  const title = TITLES[status] ?? 'Sorry';
  const body = html`<h1>${title}</h1>
    <p>${message}</p>
    ${
      fields &&
      html`<ul>
        ${Object.values(fields).map((text) => html`<li>${text}</li>`)}
      </ul>`
    }
    <p><a href="/">Back to the shop</a></p>`;
  return { title, body };
}
