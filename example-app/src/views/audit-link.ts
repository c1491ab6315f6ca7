import type { Model } from 'sequelize';
import { auditPath } from 'sequelize-auditlog/web';
import { may } from '../middleware/current-user';
import type { User } from '../models';
import { html, type Content } from './html';

/** To the timeline of an object, for those who may see it. */
export const auditLink = (object: Model, user: User | undefined): Content =>
  may(user, 'audit:view') &&
  html`<p class="hint"><a href="/audit/${auditPath(object)}">In the audit log</a></p>`;
