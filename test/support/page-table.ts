const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function readable(html: string): string {
  return html
    .replaceAll(/<(?:ins|del)>/g, '$&[')
    .replaceAll(/\s*<\/(?:ins|del)>/g, ']')
    .replaceAll(/<\/li>/g, ' ')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name]!)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The tables of a page, as their captions and the texts of their cells, row by row; what is inserted or deleted in brackets. */
export function tablesOf(html: string): { caption: string; rows: string[][] }[] {
  return [...html.matchAll(/<table\b.*?<\/table>/gs)].map(([table]) => ({
    caption: readable(/<caption[^>]*>(.*?)<\/caption>/s.exec(table)?.[1] ?? ''),
    rows: [...table.matchAll(/<tr\b.*?<\/tr>/gs)].map(([row]) =>
      [...row.matchAll(/<(?:td|th)\b[^>]*>(.*?)<\/(?:td|th)>/gs)].map(([, cell = '']) => readable(cell)),
    ),
  }));
}

/** The rows below the head of the first table. */
export function rowsOf(html: string): string[][] {
  return tablesOf(html)[0]?.rows.slice(1) ?? [];
}
