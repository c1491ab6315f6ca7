import type { Response } from 'express';
import { currentUser } from '../middleware/current-user';
import { layout, type Page } from './layout';

export function sendPage(res: Response, page: Page): void {
  const { session } = res.req;
  const notice = session?.notice;
  if (notice) delete session.notice;
  res.type('html').send(layout(page, { user: currentUser(res), notice }).text);
}
