/** Something that leaves no entry, and what to do where an entry is wanted. */
export interface NotRecorded {
  /** Stable, in words: `raw_sql`, `virtual_attributes`, … */
  readonly code: string;
  /** What is not recorded. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** All that is not recorded; `coverage()` and the README tell it in these words. */
export const NOT_RECORDED = [
  {
    code: 'raw_sql',
    message:
      'Raw SQL beyond one plain INSERT, UPDATE, DELETE or TRUNCATE: a table alias, FROM, USING, ONLY, a WITH around it, MERGE, COPY, DO, EXPLAIN ANALYZE, PREPARE, DO UPDATE … WHERE, WHERE CURRENT OF, an expression in RETURNING, several tables or statements.',
    advice:
      'The process warning AUDIT_RAW_WRITE tells of each statement once; write it plainly, or through the model.',
  },
  {
    code: 'unseen_raw_sql',
    message: 'Raw SQL that does not name the table it writes to: a function, CALL, a view, a partition.',
    advice: 'Nothing warns of it; write through the model.',
  },
  {
    code: 'other_programs',
    message:
      'Writes that do not pass this Sequelize instance: other programs, another instance, a connection of pg itself.',
    advice: 'Only a database trigger could see them; write through this instance.',
  },
  {
    code: 'triggers',
    message: 'What triggers write to other rows or tables.',
    advice:
      'Values that a trigger gives the written row itself are recorded as stored, and so are rows that foreign keys remove or change.',
  },
  {
    code: 'cascade_triggers',
    message:
      'What a trigger before it makes of a row that a foreign key removes or changes, whose entry says what the foreign key alone does; and what foreign keys do on account of a key that only a trigger changed.',
    advice: 'Let such triggers leave these rows as they are, or exclude the columns that they set.',
  },
  {
    code: 'hidden_rows',
    message:
      'Rows that row-level security hides from the database role, when a foreign key or TRUNCATE removes or changes them.',
    advice: 'Let the role see every row of such a table; check() names those behind foreign keys.',
  },
  {
    code: 'definitions',
    message:
      'Rows that go or change by a definition: DROP TABLE, Model.drop(), sync({ force: true }), ALTER TABLE.',
    advice: 'Empty the table by Model.destroy or Model.truncate first.',
  },
  {
    code: 'unregistered_models',
    message: 'Writes of a model that is not registered.',
    advice: 'Register it, or every model with registerAll().',
  },
  {
    code: 'untracked_attributes',
    message: 'Attributes that include or exclude leaves out.',
    advice: 'Change the registration.',
  },
  {
    code: 'virtual_attributes',
    message: 'VIRTUAL attributes, which the database does not hold.',
    advice: 'Store the value, or add it with addAuditData.',
  },
  {
    code: 'untracked_actions',
    message: 'Actions that the registration leaves out.',
    advice: 'Change the option actions.',
  },
  {
    code: 'untracked_links',
    message: 'Links of a belongsToMany association that no registration tracks.',
    advice: 'Name it in the option associations, or register its through model.',
  },
  {
    code: 'switched_off',
    message: 'Writes with { audit: false } or inside withoutAudit.',
    advice: 'Leave these out.',
  },
  {
    code: 'rewrite_rules',
    message: 'Tables with rewrite rules (CREATE RULE): their writes are refused.',
    advice: 'Use triggers instead.',
  },
  {
    code: 'reads',
    message: 'Reads.',
    advice: 'Call logAccess.',
  },
] as const satisfies readonly NotRecorded[];

export type NotRecordedCode = (typeof NOT_RECORDED)[number]['code'];
