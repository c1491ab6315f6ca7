import { z } from 'zod';
import { changesOf, requiredText } from './parse';

const fields = {
  name: requiredText('What is it called?'),
  price: z.coerce.string().regex(/^\d{1,6}(\.\d{1,2})?$/, 'A price looks like 12.50.'),
};

export const newProductInput = z.object({
  ...fields,
  sku: requiredText('An SKU is needed.').pipe(
    z.string().regex(/^[A-Z0-9-]+$/i, 'Letters, digits and dashes only.'),
  ),
});

export const productChanges = changesOf(fields);

export const stockInput = z.object({
  by: z.coerce.number('How many?').int('Whole pieces only.').min(-9999).max(9999),
});
