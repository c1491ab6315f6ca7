import { join } from 'node:path';
import express, { type Express } from 'express';
import type {
  CreationOptional,
  InferAttributes,
  InferCreationAttributes,
  Model,
  ModelStatic,
  QueryInterface,
} from 'sequelize';
import type { AuditedModel, AuditLog, LogEntry as Entry, Snapshot } from 'sequelize-auditlog';
import { entriesOf, entryOf } from '../../../support/audited';
import { readPaper, typescriptBlocksOf } from '../markdown';
import { database } from './database';
import { itemsOf, type Item } from './page';
import { filesOf, writeProject } from './project';
import { User } from './user';

/** The model of block 4, as the compiler sees it here. */
export declare class OrderRow extends Model<InferAttributes<OrderRow>, InferCreationAttributes<OrderRow>> {
  id: CreationOptional<number>;
  status: CreationOptional<string>;
  total: string;
  customerNotes: CreationOptional<string>;
  internalNotes: CreationOptional<string>;
  cacheKey: CreationOptional<string | null>;
  updatedAt: CreationOptional<Date>;
}

/** What the modules of an item export; its check names what it expects there. */
export type Exports = Record<string, any>;

/** Proves what an item of the page says. */
export type Check = (exports: Exports, item: Item) => void | Promise<void>;

/** A module of the page that is a migration. */
export interface Migration {
  readonly up: (queryInterface: QueryInterface) => Promise<void>;
  readonly down: (queryInterface: QueryInterface) => Promise<void>;
}

export const page = readPaper('docs/from-django.md');
export const items = itemsOf(page);
export const files = filesOf(typescriptBlocksOf(page));
/** The application of the page, and modules that a check may load. */
export const folder = writeProject(files);
export const { auditLog } = load('audit.ts') as { auditLog: AuditLog };
export const { Order, orders } = load('order.ts') as {
  Order: ModelStatic<OrderRow>;
  orders: AuditedModel<OrderRow>;
};
export const { app } = load('app.ts') as { app: Express };
export const { LogEntry } = auditLog;

/** What a module of the page exports. */
export function load(file: string): unknown {
  return require(join(folder, file)) as unknown;
}

/** Creates tables: those of models by Sequelize, those of the log by the migrations of the page. */
export async function openProject(): Promise<void> {
  await database.open();
  for (const file of ['order-item.ts', 'tags.ts', 'contract.ts', 'order-routes.ts']) load(file);
  await database.sequelize.sync();
  const migrations = Object.keys(files).filter((name) => /^\d{14}-/.test(name));
  for (const name of migrations) await (load(name) as Migration).up(database.sequelize.getQueryInterface());
}

/** An order, with one create behind it. */
export function newOrder(values: Partial<InferCreationAttributes<OrderRow>> = {}): Promise<OrderRow> {
  return Order.create({ total: '99.99', ...values });
}

/** A user, with nothing in the log. */
export function newUser(email = 'alice@shop.example', role = 'staff'): Promise<User> {
  return User.create({ email, role }, { audit: false });
}

/** The application of the page with somebody logged in. */
export function appOf(user: { readonly role: string }): Express {
  const around = express();
  around.use((req, _res, next) => {
    Object.assign(req, { user });
    next();
  }, app);
  return around;
}

export function entries(work: () => unknown): Promise<Entry[]> {
  return entriesOf(auditLog, work);
}

export function entry(work: () => unknown): Promise<Entry> {
  return entryOf(auditLog, work);
}

/** Puts everything recorded of an order so far into the past. */
export async function makeOlder({ id }: OrderRow, interval: string): Promise<void> {
  const where = `model = 'Order' and object_pk = $1::text`;
  await database.rows(
    `update audit_log_entries set timestamp = timestamp - interval '${interval}' where ${where}`,
    [String(id)],
  );
  await database.rows(
    `update "Orders_history" set history_date = history_date - interval '${interval}' where id = $1`,
    [id],
  );
}

/** `'~+'` for an update after a create. */
export function typesOf(versions: readonly Snapshot<OrderRow>[]): string {
  return versions.map(({ historyType }) => historyType).join('');
}

export async function findings(): Promise<string[]> {
  return (await auditLog.check()).findings.map(({ message }) => message);
}
