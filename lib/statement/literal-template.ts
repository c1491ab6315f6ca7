import { bindLiterals } from './bind-literals';
import { literalTokens, type Token } from './scanner';

/**
 * Plain texts, and whole numbers that are an int4 whatever their digits: what stands in the place of another of its kind
 * changes nothing else of a statement.
 */
const LITERAL = /'(?:[^'\\]|'')*'|(?<![\w$".\u0080-\uffff])\d{1,9}(?![\w$".\u0080-\uffff])/g;

/** What a text is apart from its literals, and these. */
export interface LiteralForm {
  readonly form: string;
  readonly literals: readonly string[];
}

/** By its form a statement is known again, whose values Sequelize writes into its text. */
export function literalForm(sql: string): LiteralForm {
  const literals: string[] = [];
  const form = sql.replaceAll(LITERAL, (literal) => {
    literals.push(literal);
    return literal.startsWith("'") ? "''" : '0';
  });
  return { form, literals };
}

/** Where the literals of the form stand. */
function placesOf(sql: string): string[] {
  return [...sql.matchAll(LITERAL)].map((match) => `${match.index} ${match.index + match[0].length}`);
}

/**
 * What `bindLiterals` makes of this text and of all others of its form, when it binds all their literals; null where it
 * leaves some in the text, and where the form's literals are not those that PostgreSQL reads, such as a quote in a comment.
 *
 * @param given how many binds the text has already
 */
export function literalTemplate(sql: string, given: number): string | null {
  const { sql: bound, tokens } = bindLiterals(sql, Array.from({ length: given }));
  const placed = (list: readonly Token[]): string => list.map(({ start, end }) => `${start} ${end}`).join();
  const places = placesOf(sql).join();
  return places === placed(tokens) && places === placed(literalTokens(sql)) ? bound : null;
}
