import type { OrderStatus } from '../models';
import { badge, money } from './format';
import type { Content } from './html';

type Show = (value: unknown) => Content;

const asText: Show = (value) => (typeof value === 'string' ? value : null);

/** The values of an order that its history holds, in the order in which pages show them. */
export const ORDER_VALUES: Readonly<Record<string, readonly [label: string, show: Show]>> = {
  status: ['Status', (value) => badge(value as OrderStatus)],
  total: ['Total', (value) => money(value as string | null)],
  customerName: ['Customer', asText],
  customerEmail: ['E-mail', asText],
  cardNumber: ['Card', asText],
  notes: ['Notes', asText],
  internalNotes: ['Internal notes', asText],
  tags: ['Tags', asText],
};

export const labelOf = (attribute: string): string => ORDER_VALUES[attribute]?.[0] ?? attribute;

export const showValue = (attribute: string, value: unknown): Content =>
  (ORDER_VALUES[attribute]?.[1] ?? asText)(value);

interface Linked {
  readonly repr: string | null;
  readonly pk: string;
}

export const linkNames = (links: readonly Linked[]): string =>
  links.map(({ repr, pk }) => (repr ?? pk).replace(/^Tag /, '')).join(', ');
