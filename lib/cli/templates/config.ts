import { literal } from './literal';

/** What a first configuration file is to say. */
export interface FirstConfig {
  /** The module that exports `auditLog`; null when nobody named it yet. */
  readonly require: string | null;
  readonly schema: string | undefined;
  readonly tableName: string | undefined;
}

const REQUIRE = `  // The module that exports your audit log as "auditLog": with it the program knows
  // its database and options, and your models.
`;

function members({ require, schema, tableName }: FirstConfig): string {
  if (require !== null) return `${REQUIRE}  require: ${literal(require)},\n`;
  const names = Object.entries({ schema, tableName }).filter(([, name]) => name !== undefined);
  const lines = names.map(([option, name]) => `  ${option}: ${literal(name)},\n`).join('');
  return `${REQUIRE}  // require: './audit',\n  url: process.env.DATABASE_URL,\n${lines}`;
}

/** The text of `sequelize-auditlog.config.js` or `.ts`. */
export function configText(config: FirstConfig, isModule: boolean): string {
  const head = isModule ? 'export default' : 'module.exports =';
  return `// Read by "npx sequelize-auditlog". What is given by flags or AUDIT_DATABASE_URL comes first.
${head} {
${members(config)}};
`;
}
