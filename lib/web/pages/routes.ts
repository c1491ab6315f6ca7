import { assetAnswer } from '../assets';
import { exportCsv, exportNdjson } from '../export/export';
import type { Route } from '../route';
import type { Handler } from '../visit';
import { actorPage } from './actor';
import { atPage } from './at';
import { deletedPage } from './deleted';
import { diffPage } from './diff';
import { entryPage } from './entry';
import { feedPage } from './feed';
import { modelsPage } from './models';
import { objectPage } from './object';
import { requestPage } from './request';
import { revertAction, revertPage } from './revert';
import { transactionPage } from './transaction';
import { undoRequest, undoTransaction } from './undo';

const get = (path: string, handler: Handler): Route => ({ method: 'get', path, handler, kind: 'page' });
const post = (path: string, handler: Handler): Route => ({ method: 'post', path, handler, kind: 'page' });

export const PAGE_ROUTES: readonly Route[] = [
  get('/assets/:file', (visit) => assetAnswer(visit.param('file'))),
  get('/', feedPage),
  get('/e/:id', entryPage),
  get('/o/:model/:pk', objectPage),
  get('/o/:model/:pk/at', atPage),
  get('/o/:model/:pk/diff', diffPage),
  get('/o/:model/:pk/revert', revertPage),
  post('/o/:model/:pk/revert', revertAction),
  get('/r/:correlationId', requestPage),
  post('/r/:correlationId', undoRequest),
  get('/t/:transactionId', transactionPage),
  post('/t/:transactionId', undoTransaction),
  get('/a/:actorId', actorPage),
  get('/deleted', deletedPage),
  get('/models', modelsPage),
  get('/export.csv', exportCsv),
  get('/export.ndjson', exportNdjson),
];
