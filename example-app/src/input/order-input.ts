import { z } from 'zod';
import { ORDER_STATUSES } from '../models';
import { changesOf, id, listOf, optionalText, requiredText } from './parse';

const cardNumber = z.preprocess(
  (value) => (typeof value === 'string' ? value.replaceAll(/[\s-]/g, '') || null : (value ?? null)),
  z
    .string()
    .regex(/^\d{12,19}$/, 'A card number has 12 to 19 digits.')
    .nullable(),
);

const fields = {
  customerName: requiredText('Who is the order for?'),
  customerEmail: z
    .string('An e-mail address is needed.')
    .trim()
    .pipe(z.email('This is not an e-mail address.')),
  cardNumber,
  notes: optionalText,
  internalNotes: optionalText,
};

const line = z.object({ productId: id, quantity: z.coerce.number().int().min(1).max(999) });

const newOrder = z.object({
  ...fields,
  items: z.array(line).min(1, 'Add at least one product.'),
});

export const newOrderInput = z.preprocess(withItems, newOrder);

export const orderChanges = changesOf(fields);

export const lineInput = z.object({ productId: id, quantity: z.coerce.number().int().min(0).max(999) });

export const reasonInput = z.object({ reason: requiredText('Please say why.') });

export const bulkInput = z.object({
  ids: listOf(id).refine((ids) => ids.length > 0, 'Check at least one order.'),
  status: z.enum(ORDER_STATUSES),
  reason: optionalText,
});

export const tagInput = z.object({ name: requiredText('Which tag?').pipe(z.string().max(30)) });

/** A form has no nested values: it repeats productId and quantity, one pair a row. */
function withItems(input: unknown): unknown {
  if (!isRecord(input) || 'items' in input) return input;
  const quantities = [input['quantity']].flat();
  const items = [input['productId']]
    .flat()
    .map((productId, row) => ({ productId, quantity: quantities[row] }));
  return { ...input, items: items.filter(isChosen) };
}

const isChosen = (item: { productId: unknown }): boolean => Boolean(item.productId);

const isRecord = (input: unknown): input is Record<string, unknown> =>
  typeof input === 'object' && input !== null;
