import type { Response } from 'supertest';

/** A page as its tests look at it. */
export interface Page {
  readonly status: number;
  readonly html: string;
  /** What can be read in it, blanks folded; without charts and lists of options. */
  readonly text: string;
  /** What entries say, one by one. */
  readonly sentences: readonly string[];
  /** Where links lead, by their texts. */
  readonly links: ReadonlyMap<string, string>;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescape(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name]!);
}

function readable(html: string): string {
  const shown = html
    .replaceAll(/<(svg|select)\b.*?<\/\1>/gs, '')
    .replaceAll(/<\/(?:p|li|h\d|td|th|tr|dt|dd|summary|figcaption|button|label)>/g, '$& ');
  return unescape(shown.replaceAll(/<[^>]*>/g, ''))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function linkOf([, attributes = '', inside = '']: RegExpMatchArray): [string, string] {
  const attribute = (name: string): string | undefined =>
    new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1];
  const text = attribute('aria-label') === undefined ? readable(inside) : unescape(attribute('aria-label')!);
  return [text, unescape(attribute('href') ?? '')];
}

/** The answer as a page. */
export function pageOf({ status, text: html }: Pick<Response, 'status' | 'text'>): Page {
  const body = html.slice(html.indexOf('<main'), html.indexOf('</main>'));
  const sentences = [...body.matchAll(/<span class="sentence">(.*?)<\/span>(?=<p class="meta">|<\/p>)/gs)];
  return {
    status,
    html,
    text: readable(body),
    sentences: sentences.map(([, sentence = '']) => readable(sentence)),
    links: new Map(
      [...body.replaceAll(/<svg\b.*?<\/svg>/gs, '').matchAll(/<a ([^>]*)>(.*?)<\/a>/gs)].map(linkOf),
    ),
  };
}
