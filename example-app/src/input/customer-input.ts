import { z } from 'zod';
import { changesOf, optionalText, requiredText } from './parse';

const fields = {
  name: requiredText('What is the customer called?'),
  email: z.string('An e-mail address is needed.').trim().pipe(z.email('This is not an e-mail address.')),
  note: optionalText,
};

export const newCustomerInput = z.object(fields);

export const customerChanges = changesOf(fields);

export const addressChanges = changesOf({
  street: requiredText('Which street?'),
  city: requiredText('Which town?'),
});
