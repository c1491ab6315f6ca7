import type { User } from '../models';
import type { Random } from './random';

/** The addresses are from the ranges that are kept for documentation. */
export const ADDRESS = {
  office: '192.0.2.14',
  counter: '192.0.2.31',
  support: '192.0.2.47',
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

interface Job {
  readonly actor: { readonly id: string; readonly label: string; readonly type: 'job' };
  readonly correlationId: string;
}

/** A job has no request; each of its runs is called after its day. */
const run = (id: string, at: Date): Job => ({
  actor: { id, label: id.replaceAll('-', ' '), type: 'job' },
  correlationId: `${id}-${at.toISOString().slice(0, 10)}`,
});

export const priceImport = (at: Date): Job => run('price-import', at);
export const stockCount = (at: Date): Job => run('stock-count', at);

export interface Staff {
  readonly alice: User;
  readonly sam: User;
  readonly ada: User;
}

export const atCounter = ({ alice }: Staff) => ({ actor: alice, remoteAddr: ADDRESS.counter });

export const inOffice = ({ ada }: Staff) => ({ actor: ada, remoteAddr: ADDRESS.office });

export const onThePhone = ({ sam }: Staff) => ({ actor: sam, remoteAddr: ADDRESS.support });

/** Most of the work is done at the counter. */
export const somebody = (staff: Staff, random: Random) =>
  random.chance(0.8) ? atCounter(staff) : inOffice(staff);
