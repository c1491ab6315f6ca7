import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../../..');

/** A fenced block; its name is its first line when that is a comment of one word. */
export interface Block {
  readonly language: string;
  readonly name: string | null;
  readonly code: string;
}

export function readPaper(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    name: /^\/\/ (\S+)\n/.exec(code)?.[1] ?? null,
    code,
  }));
}

export function typescriptBlocksOf(markdown: string): Block[] {
  return blocksOf(markdown).filter(({ language }) => language === 'ts');
}

export function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```$/gms, '');
}

/** Texts of the headings of one level, in order. */
export function headingsOf(markdown: string, level: number): string[] {
  const pattern = new RegExp(`^#{${level}} (.+)$`, 'gm');
  return [...withoutBlocks(markdown).matchAll(pattern)].map(([, text = '']) => text);
}

/** The texts between backticks of a line or paragraph. */
export function codeSpansOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
