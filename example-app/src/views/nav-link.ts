import { html, type Html } from './html';

export const navLink = (href: string, label: string, current: boolean): Html =>
  html`<a href="${href}" ${current && html` aria-current="page"`}>${label}</a>`;
