import { z } from 'zod';
import { changesOf, optionalText, requiredText } from './parse';

const DETAILS = 'Details look like {"origin": "Assam"}.';

/** A form sends it as a text, JSON as what it is. */
const details = z.preprocess(parsedJson, z.record(z.string(), z.json(), DETAILS));

const fields = {
  name: requiredText('What is it called?'),
  description: optionalText.transform((text) => text ?? ''),
  details,
  price: z.coerce.string().regex(/^\d{1,6}(\.\d{1,2})?$/, 'A price looks like 12.50.'),
};

export const newProductInput = z.object({
  ...fields,
  description: fields.description.default(''),
  details: details.default({}),
  sku: requiredText('An SKU is needed.').pipe(
    z.string().regex(/^[A-Z0-9-]+$/i, 'Letters, digits and dashes only.'),
  ),
});

export const productChanges = changesOf(fields);

export const stockInput = z.object({
  by: z.coerce.number('How many?').int('Whole pieces only.').min(-9999).max(9999),
});

function parsedJson(input: unknown): unknown {
  if (typeof input !== 'string') return input;
  try {
    return JSON.parse(input || '{}');
  } catch {
    return input;
  }
}
