import type { Role } from '../models';

export const PASSWORD = 'shop';

export const USERS: ReadonlyArray<{ email: string; name: string; role: Role }> = [
  { email: 'alice@shop.example', name: 'Alice', role: 'sales' },
  { email: 'sam@shop.example', name: 'Sam', role: 'support' },
  { email: 'ada@shop.example', name: 'Ada', role: 'admin' },
];

const CUSTOMER_NAMES = [
  'Harbour Café', 'North Library', 'Mill Street Bakery', 'Station Bookshop', 'Hilltop School', 'Riverside Hotel',
  'Old Town Museum', 'Garden Centre East', 'Lakeside Hostel', 'Market Hall Deli', 'Corner Pharmacy', 'City Theatre',
  'Castle Tea Room', 'Bridge Street Bistro', 'Westside Clinic', 'Orchard Farm Shop', 'Canal Boat Tours',
  'Lighthouse Gallery', 'Market Square Florist', 'Forest Campsite', 'Quayside Brewery', 'Village Hall Stores',
  'Botanic Garden Kiosk', 'Tram Depot Canteen', 'South Pier Ice Cream', 'Observatory Shop', 'Courthouse Canteen',
  'Windmill Guesthouse', 'Abbey Bookbinders', 'Ferry Terminal Kiosk', 'Chapel Lane Nursery', 'Music School West',
  'Swimming Baths Café', 'Rose Lane Upholstery', 'Old Mint Coworking', 'Granary Yoga Studio',
]; // prettier-ignore

export interface CustomerValues {
  readonly name: string;
  readonly email: string;
}

export const CUSTOMERS: readonly CustomerValues[] = CUSTOMER_NAMES.map((name) => ({
  name,
  email: `orders@${domainOf(name)}`,
}));

/** Whom the admin deletes some days before today. */
export const DELETED_CUSTOMER = 'Lakeside Hostel';

export const STREETS = [
  'Mill Street', 'Harbour Road', 'Station Square', 'Church Lane', 'Bridge Street', 'Park Avenue', 'Market Place',
  'Castle Hill', 'Canal Walk', 'Orchard Way',
]; // prettier-ignore

export const CITIES = ['Northport', 'Eastfield', 'Southwold Bay', 'Westerby', 'Old Town'] as const;

export const CUSTOMER_NOTES = [
  'Deliver through the yard, the front door is for guests only. Opens at seven, closed on Mondays.',
  'Deliver through the yard, the front door is for guests only. Opens at eight, closed on Tuesdays.',
  'Wants one invoice a month instead of one with each parcel.',
  'Wants one invoice a quarter instead of one with each parcel, sent to the head office.',
  'Call half an hour before the delivery; somebody has to unlock the gate.',
] as const;

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
