import type { OrderStatus } from '../models';
import { html, type Html } from './html';

const euros = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });
const shortTime = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

const longTime = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

export const money = (amount: string | null): string =>
  amount === null ? '–' : euros.format(Number(amount));

export const time = (date: Date): Html =>
  html`<time datetime="${date.toISOString()}" title="${date.toISOString()}">${shortTime.format(date)}</time>`;

/** With seconds, for where the exact moment counts. */
export const momentText = (date: Date): string => `${longTime.format(date)} UTC`;

export const badge = (status: OrderStatus): Html =>
  html`<span class="badge badge-${status}">${status}</span>`;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const lastFour = (cardNumber: string | null): string =>
  cardNumber ? `•••• ${cardNumber.slice(-4)}` : 'none';
