import { may } from '../middleware/current-user';
import type { Product, User } from '../models';
import type { FieldErrors } from '../shop-error';
import { field, type Values } from './fields';
import { money } from './format';
import { html, type Html } from './html';
import type { Page } from './layout';

interface ProductList {
  readonly products: readonly Product[];
  readonly removed: readonly Product[];
  readonly user: User | undefined;
}

export function productList({ products, removed, user }: ProductList): Page {
  const body = html`<div class="head">
      <h1>Products</h1>
      ${may(user, 'edit') && html`<a class="button primary" href="/products/new">New product</a>`}
    </div>
    <table class="products">
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col" class="number">Price</th>
          <th scope="col" class="number">Stock</th>
          <th scope="col"><span class="hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        ${products.map((product) => productRow(product, user))}
      </tbody>
    </table>
    ${removed.length > 0 && removedProducts(removed, user)}`;
  return { title: 'Products', section: 'products', body };
}

function productRow(product: Product, user: User | undefined): Html {
  const { id, name, sku, price, stock } = product;
  return html`<tr>
    <th scope="row" class="name">${name}<small>${sku}</small></th>
    <td class="number price">${money(price)}</td>
    <td class="number stock">${stock}</td>
    <td class="row-actions">
      ${may(user, 'edit') && stockForm(product)}
      ${may(user, 'edit') && html`<a class="button quiet" href="/products/${id}/edit">Edit</a>`}
      <a class="button quiet" href="/products/${id}/log">Log</a>
      ${may(user, 'delete') && button(`/products/${id}/remove`, 'Remove')}
    </td>
  </tr>`;
}

function stockForm({ id, name }: Product): Html {
  return html`<form class="inline" method="post" action="/products/${id}/stock">
    <input
      class="short"
      type="number"
      name="by"
      value="10"
      min="-9999"
      max="9999"
      aria-label="Pieces of ${name} to add"
    />
    <button class="quiet">Add</button>
  </form>`;
}

function removedProducts(removed: readonly Product[], user: User | undefined): Html {
  return html`<h2>No longer sold</h2>
    <ul class="plain">
      ${removed.map(
        (product) =>
          html`<li>
            <span>${product.name}</span>
            <a class="button quiet" href="/products/${product.id}/log">Log</a>
            ${may(user, 'delete') && button(`/products/${product.id}/restore`, 'Restore')}
          </li>`,
      )}
    </ul>`;
}

const button = (action: string, label: string): Html =>
  html`<form method="post" action="${action}"><button class="quiet">${label}</button></form>`;

interface ProductForm {
  readonly title: string;
  readonly action: string;
  readonly values: Values;
  readonly errors?: FieldErrors | undefined;
  readonly isNew?: boolean;
}

export function productForm({ title, action, values, errors, isNew = false }: ProductForm): Page {
  const body = html`<p class="crumbs"><a href="/products">Products</a></p>
    <h1>${title}</h1>
    <form class="card narrow" method="post" action="${action}">
      ${field({ name: 'name', label: 'Name', required: true }, values, errors)}
      ${isNew && field({ name: 'sku', label: 'SKU', required: true }, values, errors)}
      ${field({ name: 'price', label: 'Price in euros', inputmode: 'decimal', required: true }, values, errors)}
      ${field({ name: 'description', label: 'Description', type: 'textarea', rows: 6 }, values, errors)}
      ${field({ name: 'details', label: 'Details', type: 'textarea', rows: 10, hint: 'What is on the package, as JSON.' }, withJson(values), errors)}
      <button class="primary">Save</button>
    </form>`;
  return { title, section: 'products', body };
}

/** Indented, because it is read and changed by people. */
const withJson = (values: Values): Values => {
  const { details = {} } = values;
  return { ...values, details: typeof details === 'string' ? details : JSON.stringify(details, null, 2) };
};

export const productHead = (product: Product): Html =>
  html`<p class="crumbs"><a href="/products">Products</a></p>
    <h1>${product.name}</h1>`;
