import { Router } from 'express';
import { auditLog, LogEntry } from '../audit';
import { parse } from '../input/parse';
import { reasonInput } from '../input/order-input';
import { requirePermission } from '../middleware/current-user';
import { notFound } from '../shop-error';
import { plural } from '../views/format';
import { undoPage, type Undo } from '../views/undo-page';
import { done, show, showFormAgain } from './answer';

/** What one request or one run of a job changed, taken back as a whole: `revertRequest` of the library. */
export const undoRoutes = Router();

const mayUndo = requirePermission('bulk-edit');

undoRoutes.get('/:correlationId/undo', mayUndo, async (req, res) => {
  const undo = await preview(req.params.correlationId);
  const { changes, skipped, obstacles } = undo.plan;
  show(
    res,
    () => undoPage(undo),
    () => ({ changes, skipped, obstacles }),
  );
});

undoRoutes.post('/:correlationId/undo', mayUndo, async (req, res) => {
  const undo = await preview(req.params.correlationId);
  try {
    const { reason } = parse(reasonInput, req.body);
    const { changes } = await auditLog.revertRequest(undo.correlationId, { reason });
    done(res, { goTo: '/', notice: `Undone: ${plural(changes.length, 'change')}.`, json: { changes } });
  } catch (error) {
    showFormAgain(req, res, error, (errors) => undoPage(undo, { values: req.body, errors }));
  }
});

async function preview(correlationId: string): Promise<Undo> {
  const [first] = await LogEntry.inRequest(correlationId, { order: [['id', 'asc']], limit: 1 });
  if (!first) throw notFound('What should be undone');
  return { correlationId, first, plan: await auditLog.revertRequest(correlationId, { dryRun: true }) };
}
