import { z } from 'zod';
import { MASK_TEXT } from '../../core/options';
import { BUCKETS } from '../reading/activity';
import { isStorable, MAX_REASON } from '../reason';
import { MAX_LIMIT } from '../search/paging';

/** Schemas that the OpenAPI document names. */
export const NAMED = z.registry<{ id: string }>();

function named<S extends z.ZodType>(id: string, schema: S): S {
  NAMED.add(schema, { id });
  return schema;
}

const text = z.string().min(1);
const nullable = z.string().nullable();
const instant = (description: string) =>
  z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/)
    .describe(description);
const choice = (description: string, example: string) =>
  z
    .array(text)
    .optional()
    .meta({ description, example: [example] });
const optional = (description: string, example: string) => text.optional().meta({ description, example });

/** What narrows a list; within one parameter OR, across parameters AND. */
export const FILTERS = {
  model: choice('Names of models. Repeated or apart at commas: one of them.', 'Order'),
  pk: choice('Keys of objects; a composite key is a JSON array in key order.', '42'),
  actor: choice(
    "Ids of actors; what is no actor's id is a label, or how it begins. `null`: entries without an actor.",
    '7',
  ),
  action: choice('`create`, `update`, `delete`, `access`, `prune`, or a word of the application.', 'update'),
  field: choice('Names of attributes or associations that changed.', 'status'),
  correlationId: choice('Correlation ids of requests.', 'req-1'),
  transactionId: choice('Ids of transactions.', '4711'),
  ip: choice('Addresses, or networks such as `10.0.0.0/8`.', '10.0.0.0/8'),
  since: optional(
    'Not before: a day in `tz`, a time with offset (without one, in `tz`), or a span before now such as `7d`.',
    '2026-11-01',
  ),
  until: optional('Before this time; a day is included.', '2026-11-30'),
  q: optional(
    'A search as in the search box: `actor:ann -model:Item at:>=2026-11-01 "free text"`.',
    'status -model:Item',
  ),
  tz: optional('IANA name of the zone in which days and times without offset are meant.', 'Europe/Zurich'),
};

/** Which part of a list. */
const PAGING = {
  limit: z
    .int()
    .min(1)
    .max(MAX_LIMIT)
    .optional()
    .meta({ description: 'Entries of a page; the host chooses how many by default.', example: 25 }),
  cursor: text.optional().describe('Where the page begins: opaque, follow `page.next` and `page.prev`.'),
  order: z
    .enum(['desc', 'asc'])
    .default('desc')
    .meta({ description: 'Newest or oldest first.', example: 'asc' }),
  count: z.enum(['estimate']).optional().meta({
    description: 'Also tell how many entries there are, as the planner guesses.',
    example: 'estimate',
  }),
};

export const LIST_QUERY = z.strictObject({ ...FILTERS, ...PAGING });
export const NO_QUERY = z.strictObject({ tz: FILTERS.tz });
export const ACTIVITY_QUERY = z.strictObject({
  ...FILTERS,
  bucket: z
    .enum(BUCKETS)
    .default('day')
    .meta({ description: 'What is counted by, in the calendar of `tz`.', example: 'week' }),
});

const POINT =
  'The id of an entry (the state right after it), a time (`2026-11-21T20:17:26.123456Z`), or `current`.';
export const STATE_QUERY = z.strictObject({
  at: text.default('current').meta({ description: POINT, example: '1' }),
  tz: FILTERS.tz,
});
export const DIFF_QUERY = z.strictObject({
  from: text.meta({ description: POINT, example: '1' }),
  to: text.meta({ description: POINT, example: 'current' }),
  tz: FILTERS.tz,
});

export const REVERT_BODY = named(
  'RevertRequest',
  z.strictObject({
    to: text.describe('The past that is put back: the id of an entry, or a time.'),
    only: z.array(text).optional().describe('Only these attributes and associations.'),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(MAX_REASON)
      .refine(isStorable, 'holds a NUL character')
      .optional()
      .describe('Why; required unless `dryRun`.'),
    dryRun: z.boolean().default(false).describe('Only tell what would be done.'),
  }),
);

const json = z.unknown().describe('A JSON value.');
const link = z.object({ pk: z.string(), repr: z.string() });
const linkChange = z.object({ type: z.literal('m2m'), added: z.array(link), removed: z.array(link) });
export const CHANGES = named(
  'Changes',
  z
    .record(z.string(), z.union([z.tuple([json, json]), linkChange]))
    .describe(
      `By attribute \`[old, new]\`, absent when equal; by association the links added and removed. Values of masked attributes are \`${MASK_TEXT}\`, which may end with the last characters of the value: see \`masked\` of the model.`,
    ),
);

const id = z.string().regex(/^\d+$/);

export const ENTRY = named(
  'Entry',
  z.object({
    id: id.describe('Of two entries of one object the later change has the higher id.'),
    timestamp: instant("The database's clock at the change, with microseconds."),
    action: z.string(),
    model: z.string(),
    objectPk: nullable.describe('A composite key is a JSON array of texts in key order.'),
    objectRepr: nullable,
    changes: CHANGES.nullable(),
    actorId: nullable,
    actorLabel: nullable,
    actorType: nullable,
    remoteAddr: nullable,
    remotePort: z.int().nullable(),
    correlationId: nullable,
    request: nullable,
    transactionId: id.nullable(),
    reason: nullable,
    additionalData: z.record(z.string(), json).nullable(),
    hiddenChanges: z.int().describe('How many changes are left out, since you may not see them.'),
  }),
);

const reference = (rel: string) =>
  nullable.describe(`Query of the ${rel} page, relative to the address of this one.`);
export const LIST = named(
  'EntryList',
  z.object({
    data: z.array(ENTRY),
    page: z.object({ next: reference('next'), prev: reference('previous') }),
    estimate: z.int().optional().describe('With `count=estimate`.'),
  }),
);

const object = { model: z.string(), objectPk: z.string() };
const values = z.record(z.string(), json).describe('By attribute, in the form that entries have.');

export const STATE = named(
  'State',
  z.object({
    ...object,
    at: instant('The time that was asked for.').nullable().describe('Null for the present.'),
    values,
    unknown: z
      .record(z.string(), z.string())
      .describe('Attributes whose values are not known, and why: `masked`, `excluded`, …'),
  }),
);

const linkDiff = z.object({ attribute: z.string(), added: z.array(link), removed: z.array(link) });
export const DIFF = named(
  'Diff',
  z.object({
    ...object,
    from: nullable.describe('The time compared; null for the present.'),
    to: nullable,
    changes: z.array(z.union([z.object({ attribute: z.string(), old: json, new: json }), linkDiff])),
  }),
);

export const REVERT = named(
  'Revert',
  z.object({
    ...object,
    dryRun: z.boolean(),
    changes: z.array(z.union([z.object({ attribute: z.string(), now: json, after: json }), linkDiff])),
    skipped: z.array(z.object({ attribute: z.string(), why: z.string() })).describe('What is left as it is.'),
    obstacles: z
      .array(z.object({ attribute: z.string().optional(), why: z.string() }))
      .describe('What stands in the way; only a dry run tells it here.'),
    entry: ENTRY.nullable().describe(
      'The entry that was written; null when nothing changed, and in a dry run.',
    ),
  }),
);

export const ACTIVITY = named(
  'Activity',
  z.object({
    data: z.array(z.object({ start: instant('Included.'), end: instant('Excluded.'), count: z.int() })),
  }),
);

export const MODELS = named(
  'Models',
  z.object({
    data: z.array(
      z.object({
        model: z.string(),
        primaryKey: z.array(z.string()),
        tracked: z.array(z.string()),
        masked: z.array(z.string()).describe(`Attributes whose values are shown as \`${MASK_TEXT}\`.`),
        associations: z.array(z.string()),
        labels: z.record(z.string(), z.string()),
        actions: z.array(z.string()),
        snapshots: z.boolean(),
        canRevert: z.boolean(),
      }),
    ),
  }),
);

export const PROBLEM = named(
  'Problem',
  z
    .object({
      type: z.string().describe('Stable.'),
      title: z.string(),
      status: z.int(),
      detail: z.string().optional(),
      parameter: z.string().optional().describe('The parameter, or member of the body, that is wrong.'),
    })
    .describe('RFC 9457'),
);
