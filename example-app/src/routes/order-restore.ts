import { type Request, type Response, Router } from 'express';
import { orders } from '../audit';
import { restoreInput, restoreQuery, undeleteInput } from '../input/past-input';
import { parse } from '../input/parse';
import { demand, requirePermission } from '../middleware/current-user';
import {
  changesOf,
  type Entry,
  findVersion,
  previewUndeletion,
  restorable,
  undelete,
} from '../services/order-past';
import { findOrder, orderExists } from '../services/orders';
import { type FieldErrors, notFound, ShopError } from '../shop-error';
import type { Values } from '../views/fields';
import type { Page } from '../views/layout';
import { restorePage, stalePage, undeletePage } from '../views/restore-page';
import { sendPage } from '../views/send';
import { done, idOf, show, showFormAgain } from './answer';
import { orderJson, pastOrderJson } from './order-json';

type OrderRequest = Request<{ id: string }>;

interface Input {
  readonly seen: string;
  readonly reason: string;
  readonly only: readonly string[];
}

interface Form {
  readonly values?: Values;
  readonly errors?: FieldErrors;
}

/** What restoring would do, to look at; and doing it. */
interface Preview {
  /** The newest change of the order. */
  readonly seen: Entry;
  readonly json: Record<string, unknown>;
  readonly page: (form: Form) => Page;
  readonly parse: (body: unknown) => Input;
  readonly restore: (input: Input) => Promise<unknown>;
}

const mayEdit = requirePermission('edit');

export const orderRestoreRoutes = Router();

orderRestoreRoutes.get('/:id/restore', mayEdit, async (req, res) => {
  const { page, json } = await preview(req, res);
  show(
    res,
    () => page({}),
    () => json,
  );
});

orderRestoreRoutes.post('/:id/restore', mayEdit, async (req, res) => {
  const id = idOf(req.params.id);
  const { seen, page, ...order } = await preview(req, res);
  try {
    const input = order.parse(req.body);
    if (input.seen !== seen.id) return tellStale(req, res, seen);
    await order.restore(input);
    done(res, {
      goTo: `/orders/${id}`,
      notice: `Order ${id} is restored.`,
      json: orderJson(await findOrder(id)),
    });
  } catch (error) {
    showFormAgain(req, res, error, (errors) => page({ values: req.body, errors }));
  }
});

/** An order that is there goes back to a version; one that is deleted comes back as it was. */
async function preview(req: OrderRequest, res: Response): Promise<Preview> {
  const id = idOf(req.params.id);
  const [[seen], exists] = await Promise.all([changesOf(id), orderExists(id)]);
  if (!seen || (!exists && seen.action !== 'delete')) throw notFound(`Order ${id}`);
  if (exists) return previewVersion(id, seen, parse(restoreQuery, req.query).to);
  demand(res, 'delete');
  return previewDeleted(id, seen);
}

async function previewVersion(id: number, seen: Entry, to: string | undefined): Promise<Preview> {
  if (!to) throw new ShopError(409, `Order ${id} is not deleted. Choose one of its versions to go back to.`);
  const version = await findVersion(id, to);
  const plan = await orders.revert(id, { to: version, dryRun: true });
  const changes = restorable(plan);
  const input = restoreInput(changes.map(({ attribute }) => attribute));
  return {
    seen,
    json: { seen: seen.id, changes, skipped: plan.skipped, obstacles: plan.obstacles },
    page: (form) => restorePage({ id, seen, version, plan, ...form }),
    parse: (body) => parse(input, body),
    // Compared once more by the library, which holds the order's row meanwhile.
    restore: ({ only, reason }) => orders.revert(id, { to: version, only, reason, expectedVersion: seen }),
  };
}

async function previewDeleted(id: number, seen: Entry): Promise<Preview> {
  const undeletion = await previewUndeletion(id, seen);
  const { order, plan } = undeletion;
  return {
    seen,
    json: { seen: seen.id, order: pastOrderJson(order), skipped: plan.skipped, obstacles: plan.obstacles },
    page: (form) => undeletePage({ id, seen, ...undeletion, ...form }),
    parse: (body) => parse(undeleteInput, body),
    restore: ({ reason }) => undelete(id, seen, reason),
  };
}

function tellStale(req: OrderRequest, res: Response, newest: Entry): void {
  const id = idOf(req.params.id);
  if (req.accepts(['html', 'json']) === 'json') {
    throw new ShopError(
      409,
      `Order ${id} was changed meanwhile: ${newest.describe()}. Nothing was restored.`,
    );
  }
  sendPage(
    res.status(409),
    stalePage({ id, newest, again: newest.action === 'delete' ? `/orders/${id}/restore` : req.originalUrl }),
  );
}
