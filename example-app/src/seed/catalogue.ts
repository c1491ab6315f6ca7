import type { Role } from '../models';

export const PASSWORD = 'shop';

export const USERS: ReadonlyArray<{ email: string; name: string; role: Role }> = [
  { email: 'admin@shop.example', name: 'Admin', role: 'admin' },
  { email: 'clerk@shop.example', name: 'Clerk', role: 'clerk' },
  { email: 'support@shop.example', name: 'Support', role: 'support' },
];

export const PRODUCTS: ReadonlyArray<readonly [sku: string, name: string, price: string]> = [
  ['TEA-ASM-1', 'Assam leaf tea, 1 kg', '24.50'],
  ['TEA-SEN-1', 'Sencha, 1 kg', '39.00'],
  ['TEA-EGR-1', 'Earl Grey, 1 kg', '28.00'],
  ['TEA-CHM-05', 'Chamomile flowers, 500 g', '16.80'],
  ['TEA-MNT-05', 'Peppermint, 500 g', '14.20'],
  ['COF-HSE-1', 'House espresso, 1 kg', '21.90'],
  ['COF-DEC-1', 'Decaf espresso, 1 kg', '23.90'],
  ['KTL-STL-17', 'Steel kettle, 1.7 l', '49.00'],
  ['POT-GLS-1', 'Glass teapot, 1 l', '27.50'],
  ['CUP-STW-6', 'Stoneware cups, set of 6', '42.00'],
  ['FLT-PAP-100', 'Paper filters, 100', '5.40'],
  ['BAG-KRF-50', 'Kraft bags, 50', '9.90'],
  ['PAP-A5-DOT', 'Dotted notebook, A5', '7.80'],
  ['PAP-REC-20', 'Receipt rolls, 20', '18.60'],
  ['PEN-GEL-12', 'Gel pens, 12', '11.50'],
  ['LBL-RND-500', 'Round labels, 500', '13.00'],
];

const CUSTOMER_NAMES = [
  'Harbour Café', 'North Library', 'Mill Street Bakery', 'Station Bookshop', 'Hilltop School', 'Riverside Hotel',
  'Old Town Museum', 'Garden Centre East', 'Lakeside Hostel', 'Market Hall Deli', 'Corner Pharmacy', 'City Theatre',
  'Castle Tea Room', 'Bridge Street Bistro', 'Westside Clinic', 'Orchard Farm Shop', 'Canal Boat Tours',
  'Lighthouse Gallery', 'Market Square Florist', 'Forest Campsite',
]; // prettier-ignore

export const CUSTOMERS = CUSTOMER_NAMES.map((name) => ({
  customerName: name,
  customerEmail: `orders@${domainOf(name)}`,
}));

export const TAG_NAMES = ['urgent', 'gift', 'wholesale', 'fragile', 'call first'] as const;

export const NOTES = [
  'Please deliver before ten.',
  'Ring at the side entrance.',
  'Leave it with the neighbour if closed.',
  'Two boxes instead of one, please.',
  'No plastic, if possible.',
] as const;

export const INTERNAL_NOTES = ['Pays late.', 'Good customer.', 'Asked for a discount.'] as const;

export const CANCEL_REASONS = [
  'customer changed their mind',
  'ordered twice by mistake',
  'not in stock in time',
  'address can’t be delivered to',
] as const;

function domainOf(name: string): string {
  const ascii = name.normalize('NFD').replaceAll(/\p{Diacritic}/gu, '');
  return `${ascii.toLowerCase().replaceAll(' ', '-')}.example`;
}
