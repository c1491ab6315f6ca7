import type { Details } from '../models';
import { fromCents, toCents } from '../money';

export interface ProductValues {
  readonly sku: string;
  readonly name: string;
  readonly price: string;
  readonly description: string;
  readonly details: Details;
}

interface Loose {
  readonly sku: string;
  readonly name: string;
  /** Of a kilo. */
  readonly price: string;
  readonly description: string;
  readonly details: Details;
}

const TEAS: readonly Loose[] = [
  {
    sku: 'TEA-ASM',
    name: 'Assam leaf tea',
    price: '24.50',
    description:
      'A strong, malty tea from the banks of the Brahmaputra. It stands up to milk and to hard water, and is the one ' +
      'that cafés order again. Whole leaves, picked in the second flush of June.',
    details: { origin: 'Assam, India', organic: false, brewing: { celsius: 95, minutes: 4 } },
  },
  {
    sku: 'TEA-DAR',
    name: 'Darjeeling first flush',
    price: '58.00',
    description:
      'Light in the cup and flowery, from gardens above 1,500 metres. Best without milk. Do not leave it longer than ' +
      'three minutes, or it turns bitter.',
    details: { origin: 'Darjeeling, India', organic: true, brewing: { celsius: 85, minutes: 3 } },
  },
  {
    sku: 'TEA-SEN',
    name: 'Sencha',
    price: '39.00',
    description:
      'Steamed green tea with the taste of fresh grass and a little of the sea. It wants water well below boiling and ' +
      'a short time; the second cup from the same leaves is as good as the first.',
    details: { origin: 'Shizuoka, Japan', organic: true, brewing: { celsius: 75, minutes: 2 } },
  },
  {
    sku: 'TEA-EGR',
    name: 'Earl Grey',
    price: '28.00',
    description:
      'Black tea with oil of bergamot, and nothing else. The oil is pressed from the peel, so the scent stays in the ' +
      'cup and does not fill the room.',
    details: { origin: 'Sri Lanka', organic: false, brewing: { celsius: 95, minutes: 3 } },
  },
  {
    sku: 'TEA-CHM',
    name: 'Chamomile flowers',
    price: '33.60',
    description:
      'Whole flowers, dried slowly, without stalks and dust. Mild and a little sweet, for the evening. Keep the tin ' +
      'closed, or the scent is gone in a month.',
    details: { origin: 'Hungary', organic: true, brewing: { celsius: 100, minutes: 7 } },
  },
  {
    sku: 'TEA-MNT',
    name: 'Peppermint',
    price: '28.40',
    description:
      'Cut leaves of peppermint, cool and clear. Hot in winter, and over ice with a slice of lemon in summer. Ten ' +
      'grams are enough for a pot.',
    details: { origin: 'Morocco', organic: false, brewing: { celsius: 100, minutes: 6 } },
  },
  {
    sku: 'TEA-ROO',
    name: 'Rooibos',
    price: '22.00',
    description:
      'Red, sweet and without caffeine, so that children may have it too. It can stand in the pot as long as it likes.',
    details: { origin: 'Cederberg, South Africa', organic: true, brewing: { celsius: 100, minutes: 8 } },
  },
];

const COFFEES: readonly Loose[] = [
  {
    sku: 'COF-HSE',
    name: 'House espresso',
    price: '21.90',
    description:
      'Our own blend of four beans, roasted dark on Tuesdays and Fridays. Cocoa first, then toasted nuts, hardly any ' +
      'acidity. Made for machines, and forgiving with those who use them.',
    details: {
      origin: 'Brazil, India',
      roast: { level: 'dark', roaster: 'in house' },
      beans: ['arabica', 'robusta'],
    },
  },
  {
    sku: 'COF-DEC',
    name: 'Decaf espresso',
    price: '23.90',
    description:
      'The caffeine is taken out with carbon dioxide, the taste stays. Medium roast, round, with some caramel. For ' +
      'guests who would like to sleep.',
    details: { origin: 'Colombia', roast: { level: 'medium', roaster: 'in house' }, beans: ['arabica'] },
  },
  {
    sku: 'COF-FLT',
    name: 'Filter roast',
    price: '26.40',
    description:
      'A light roast for filter and press: peach, honey, black tea. Grind it coarser than you think, and let it rest ' +
      'for a week after roasting.',
    details: { origin: 'Ethiopia', roast: { level: 'light', roaster: 'in house' }, beans: ['arabica'] },
  },
];

/** The kettle has a night of its own, and the price import leaves it alone. */
export const KETTLE_SKU = 'KTL-STL-17';

/** These two are taken off the list, one of them by mistake. */
export const PENS_SKU = 'PEN-GEL-12';
export const LABELS_SKU = 'LBL-RND-500';

const THINGS: ReadonlyArray<readonly [string, string, string, string, Details]> = [
  [
    KETTLE_SKU,
    'Steel kettle, 1.7 l',
    '49.00',
    'Boils a litre and a half in four minutes and switches itself off. Brushed steel, no plastic inside.',
    { volume: { litres: 1.7 }, power: { watts: 2200 }, colours: ['steel'] },
  ],
  [
    'KTL-GSN-10',
    'Gooseneck kettle, 1 l',
    '64.00',
    'For filter coffee: the thin spout pours slowly and where you want it.',
    { volume: { litres: 1 }, power: { watts: 1200 }, colours: ['black', 'steel'] },
  ],
  [
    'POT-GLS-1',
    'Glass teapot, 1 l',
    '27.50',
    'Heat-proof glass with a strainer of steel that lifts out.',
    { volume: { litres: 1 }, dishwasher: true },
  ],
  [
    'CUP-STW-6',
    'Stoneware cups, set of 6',
    '42.00',
    'Glazed by hand, so that no two are alike. They stack.',
    { pieces: 6, dishwasher: true, colours: ['sand', 'slate', 'moss'] },
  ],
  [
    'SCL-DIG-2',
    'Digital scale, 2 kg',
    '31.00',
    'Weighs to a tenth of a gram, with a timer.',
    { battery: 'USB-C' },
  ],
  [
    'TWL-LIN-2',
    'Linen towels, 2',
    '14.00',
    'They get better with washing.',
    { pieces: 2, wash: { celsius: 60 } },
  ],
  ['FLT-PAP-100', 'Paper filters, 100', '5.40', 'Unbleached, for size 4.', { pieces: 100, size: 4 }],
  ['BAG-KRF-50', 'Kraft bags, 50', '9.90', 'With a flat bottom and a window.', { pieces: 50, grams: 250 }],
  [
    'PAP-A5-DOT',
    'Dotted notebook, A5',
    '7.80',
    '160 pages that lie flat.',
    { pages: 160, paper: { grams: 90 } },
  ],
  ['PAP-REC-20', 'Receipt rolls, 20', '18.60', 'Without bisphenol.', { pieces: 20, width: { mm: 80 } }],
  [
    PENS_SKU,
    'Gel pens, 12',
    '11.50',
    'They write when it is cold, too.',
    { pieces: 12, colours: ['blue', 'black'] },
  ],
  [
    LABELS_SKU,
    'Round labels, 500',
    '13.00',
    'They stick, and come off again.',
    { pieces: 500, diameter: { mm: 40 } },
  ],
];

const TEA_SIZES = [
  ['01', '100 g', 0.15],
  ['05', '500 g', 0.55],
  ['1', '1 kg', 1],
] as const;

const COFFEE_SIZES = [
  ['025', '250 g', 0.3],
  ['1', '1 kg', 1],
] as const;

export const PRODUCTS: readonly ProductValues[] = [
  ...TEAS.flatMap((tea) => TEA_SIZES.map((size) => packed(tea, size))),
  ...COFFEES.flatMap((coffee) => COFFEE_SIZES.map((size) => packed(coffee, size))),
  ...THINGS.map(([sku, name, price, description, details]) => ({ sku, name, price, description, details })),
];

function packed(loose: Loose, [suffix, size, share]: readonly [string, string, number]): ProductValues {
  return {
    ...loose,
    sku: `${loose.sku}-${suffix}`,
    name: `${loose.name}, ${size}`,
    price: fromCents(Math.round(toCents(loose.price) * share)),
    details: { ...loose.details, package: { size, material: 'kraft paper' } },
  };
}

/** What is written better over time: a few words of a text, a value deep in the details. */
export interface Edit {
  readonly sku: string;
  readonly reason: string;
  readonly words?: readonly [old: string, now: string];
  readonly details?: Details;
}

export const EDITS: readonly Edit[] = [
  {
    sku: 'TEA-ASM-1',
    reason: 'tasted again',
    words: ['strong, malty tea', 'full-bodied, malty tea'],
    details: { brewing: { celsius: 95, minutes: 3 } },
  },
  { sku: 'TEA-ASM-1', reason: 'new harvest', words: ['second flush of June', 'second flush of July'] },
  { sku: 'TEA-SEN-1', reason: 'customer asked', details: { brewing: { celsius: 70, minutes: 2 } } },
  { sku: 'TEA-SEN-05', reason: 'customer asked', details: { brewing: { celsius: 70, minutes: 2 } } },
  { sku: 'TEA-EGR-05', reason: 'label', words: ['Black tea', 'Ceylon tea'] },
  {
    sku: 'TEA-CHM-05',
    reason: 'new grower',
    words: ['Whole flowers', 'Whole flower heads'],
    details: { origin: 'Croatia' },
  },
  { sku: 'TEA-MNT-05', reason: 'too strong', words: ['Ten grams are enough', 'Eight grams are enough'] },
  { sku: 'TEA-ROO-1', reason: 'label', words: ['Red, sweet', 'Red, mild, sweet'] },
  { sku: 'TEA-DAR-01', reason: 'certificate ran out', details: { organic: false } },
  { sku: 'TEA-DAR-01', reason: 'certificate renewed', details: { organic: true } },
  {
    sku: 'COF-HSE-1',
    reason: 'blend changed',
    words: ['of four beans', 'of three beans'],
    details: { origin: 'Brazil, Guatemala', beans: ['arabica'] },
  },
  {
    sku: 'COF-HSE-1',
    reason: 'roasting day moved',
    words: ['Tuesdays and Fridays', 'Mondays and Thursdays'],
  },
  {
    sku: 'COF-FLT-1',
    reason: 'new crop',
    words: ['peach, honey', 'apricot, honey'],
    details: { origin: 'Kenya' },
  },
  { sku: 'CUP-STW-6', reason: 'new glaze', details: { colours: ['sand', 'slate', 'sky'] } },
  { sku: 'KTL-GSN-10', reason: 'new model', details: { power: { watts: 1350 } } },
];

/** The same edit of another kind of product is no edit. */
export function edited(
  { words, details }: Edit,
  product: ProductValues,
): Pick<ProductValues, 'description' | 'details'> {
  return {
    description: words ? product.description.replace(...words) : product.description,
    details: { ...product.details, ...details },
  };
}
