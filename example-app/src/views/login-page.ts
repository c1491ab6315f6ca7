import { field } from './fields';
import { html } from './html';
import type { Page } from './layout';

interface LoginForm {
  readonly next: string;
  readonly email?: string;
  readonly failed?: boolean;
}

export function loginPage({ next, email = '', failed = false }: LoginForm): Page {
  const body = html`<section class="card narrow">
    <h1>Log in</h1>
    ${failed && html`<p class="error" role="alert">That e-mail address and password don’t belong together.</p>`}
    <form method="post" action="/login">
      <input type="hidden" name="next" value="${next}" />
      ${field({ name: 'email', label: 'E-mail', type: 'email', required: true, autocomplete: 'username' }, { email })}
      ${field({ name: 'password', label: 'Password', type: 'password', required: true, autocomplete: 'current-password' }, {})}
      <button class="primary">Log in</button>
    </form>
    <p class="hint">
      This is a demo: <b>alice@</b> sells, <b>sam@</b> is support and <b>ada@shop.example</b> the admin, each
      with the password <b>shop</b>.
    </p>
  </section>`;
  return { title: 'Log in', body };
}
