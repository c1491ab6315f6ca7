import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Answer } from './answers';
import { notFound } from './access';

// The same folder from lib/ and from dist/: the compiler copies no other files, and lib/ is part of the package.
const FOLDER = path.join(__dirname, '..', '..', 'lib', 'web', 'assets');

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' };

interface Asset {
  readonly body: Buffer;
  readonly type: string;
}

const FILES = ['audit.css', 'audit.js', 'icon.svg'] as const;
export type AssetName = (typeof FILES)[number];

const assets = new Map<string, Asset>();
const names = new Map<AssetName, string>();

/** Read when the router is made, so that a package without them fails at start and not on a page. */
export function loadAssets(): void {
  if (assets.size > 0) return;
  for (const file of FILES) {
    const body = readFileSync(path.join(FOLDER, file));
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
    const [name = '', extension = ''] = file.split('.');
    names.set(file, `${name}.${hash}.${extension}`);
    assets.set(`${name}.${hash}.${extension}`, { body, type: TYPES[extension as keyof typeof TYPES] });
  }
}

/** The file under a name that changes with its content, so that it may be kept for ever. */
export function assetName(file: AssetName): string {
  return names.get(file) ?? file;
}

export function assetAnswer(name: string): Answer {
  const asset = assets.get(name);
  if (!asset) throw notFound();
  const headers = { 'cache-control': 'public, max-age=31536000, immutable', 'content-type': asset.type };
  return { status: 200, headers, body: asset.body };
}
