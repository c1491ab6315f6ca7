import type { User } from '../models';
import type { Random } from './random';

/** The addresses are from the ranges that are kept for documentation. */
export const ADDRESS = {
  office: '192.0.2.14',
  counter: '192.0.2.31',
  provider: '198.51.100.7',
  nobodyKnows: '203.0.113.66',
};

export const webShop = {
  actor: { id: 'web-shop', label: 'web shop', type: 'integration' },
  remoteAddr: ADDRESS.provider,
};
export const payments = {
  actor: { id: 'payments', label: 'payment provider', type: 'integration' },
  remoteAddr: ADDRESS.provider,
};
export const priceImport = { actor: { id: 'price-import', label: 'price import', type: 'job' } };

export interface Staff {
  readonly admin: User;
  readonly clerk: User;
}

export const atCounter = ({ clerk }: Staff) => ({ actor: clerk, remoteAddr: ADDRESS.counter });

export const inOffice = ({ admin }: Staff) => ({ actor: admin, remoteAddr: ADDRESS.office });

/** Most of the work is the clerk's. */
export const somebody = (staff: Staff, random: Random) =>
  random.chance(0.8) ? atCounter(staff) : inOffice(staff);
