import { z } from 'zod';
import { listOf, requiredText } from './parse';

const CLOCK_SKEW_MS = 60_000;
const FIRST_YEAR = Date.parse('0001-01-01T00:00:00Z');

const WHEN = 'This is no date and time. Examples: 2026-11-17, 2026-11-17T14:30.';

/** What happened on a day belongs to the day, so a date alone means its end. */
const day = z.iso.date().transform((text) => `${text}T23:59:59.999Z`);

/** The shop's clock is UTC; whoever means another zone says so. */
const dateAndTime = z.iso
  .datetime({ local: true, offset: true })
  .transform((text) => (/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`));

const moment = z
  .string(WHEN)
  .trim()
  .pipe(z.union([day, dateAndTime], WHEN))
  .transform((text) => new Date(text))
  .refine((date) => date.getTime() >= FIRST_YEAR, WHEN);

const digits = z.string().regex(/^\d{1,18}$/, 'There is no such change.');

/** A date, or a change: the moment before or after it. */
export const atQuery = z.object({
  t: z.preprocess(
    (value) => (value === '' ? undefined : value),
    moment.refine((date) => date.getTime() < Date.now() + CLOCK_SKEW_MS, 'This is still to come.').optional(),
  ),
  before: digits.optional(),
  after: digits.optional(),
});

const version = z.union([digits, z.literal('current')], 'Choose two versions.');

export const compareQuery = z.object({ from: version, to: version });

export const restoreQuery = z.object({ to: digits.optional() });

const reason = requiredText('Please say why.');

export const restoreInput = (names: readonly string[]) =>
  z.object({
    seen: digits,
    reason,
    only: listOf(z.string().refine((name) => names.includes(name), 'This can’t be restored.')).refine(
      (chosen) => chosen.length > 0,
      'Check at least one value.',
    ),
  });

/** It comes back whole. */
export const undeleteInput = z
  .object({ seen: digits, reason })
  .transform((input) => ({ ...input, only: [] }));

export const deletedQuery = z.object({ before: digits.optional().catch(undefined) });
