import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import session from 'express-session';
import type { AuditedModel, AuditLog } from 'sequelize-auditlog';
import { openAudited } from '../../support/audited';
import type { TestDatabase } from '../../support/database';
import { readPaper, typescriptBlocksOf, type Block } from './markdown';
import { createObjects, createWorld, type Objects, type Order, type World } from './reader';
import { functionName, moduleOf, temporaryFolder } from './snippets';

const [, WIRING] = typescriptBlocksOf(readPaper('README.md')) as [Block, Block];
const IMPORT = /^import (type )?\{ (.*) \} from (.*);\n+/gm;

/** One line per package, whatever blocks import from it. */
function importsOf(code: string): string {
  const names = new Map<string, Set<string>>();
  for (const [, type = '', list = '', from = ''] of code.matchAll(IMPORT)) {
    const known = names.get(from) ?? new Set();
    for (const name of list.split(', ')) known.add(type + name);
    names.set(from, known);
  }
  return [...names].map(([from, list]) => `import { ${[...list].join(', ')} } from ${from};\n`).join('');
}

/** A module with a function per block; what blocks import stands at its top, and they see what the README's wiring gives. */
export function recipesModule(blocks: readonly Block[]): string {
  const bare = blocks.map((block) => ({ ...block, code: block.code.replaceAll(IMPORT, '') }));
  const imports = blocks.flatMap(({ code }) => code.match(IMPORT) ?? []);
  const module = moduleOf(WIRING, bare);
  return importsOf(imports.filter((line) => !module.includes(line.trim())).join('')) + module;
}

export interface Wired {
  readonly auditLog: AuditLog;
  readonly orders: AuditedModel<Order>;
}

type Recipe = (scope: object) => Promise<Record<string, unknown>>;

/** The blocks of a paper, run in the place of its reader: the README's application, models and objects. */
export class Recipes {
  readonly world: World;
  wired!: Wired;
  objects!: Objects;
  readonly #database: TestDatabase;
  readonly #blocks: readonly Block[];
  #folder = '';
  #recipes: Record<string, Recipe> = {};

  constructor(database: TestDatabase, blocks: readonly Block[]) {
    this.#database = database;
    this.#blocks = blocks;
    this.world = createWorld({ sequelize: database.sequelize, express, session });
  }

  /** Tables, and one object of each model. */
  async open(): Promise<void> {
    this.#folder = await temporaryFolder();
    await writeFile(join(this.#folder, 'recipes.ts'), recipesModule(this.#blocks));
    this.#recipes = require(join(this.#folder, 'recipes.ts')) as Record<string, Recipe>;
    this.wired = (await this.#recipes['wiring']!(this.world)) as unknown as Wired;
    await openAudited(this.#database, this.wired.auditLog);
    this.objects = await createObjects(this.wired.auditLog);
  }

  async close(): Promise<void> {
    await this.#database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Runs a block with what its reader has in scope; gives what the block declares. */
  run(name: string, scope: object = {}): Promise<Record<string, unknown>> {
    return this.#recipes[functionName(name)]!({ ...this.world, ...this.wired, ...this.objects, ...scope });
  }
}
