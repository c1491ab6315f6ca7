import type { Request, Response } from 'express';
import { ShopError, notFound, type FieldErrors } from '../shop-error';
import type { Page } from '../views/layout';
import { sendPage } from '../views/send';

/** The same answer as a page or as JSON, as the client prefers. */
export function show(res: Response, page: () => Page, json: () => unknown): void {
  res.format({ html: () => sendPage(res, page()), json: () => res.json(json()) });
}

interface Done {
  readonly goTo: string;
  readonly notice: string;
  readonly json: unknown;
  readonly status?: number;
}

/** After a change a browser is sent on, so that reloading doesn't repeat it; a JSON client gets the result. */
export function done(res: Response, { goTo, notice, json, status = 200 }: Done): void {
  res.format({
    html: () => {
      res.req.session.notice = notice;
      res.redirect(303, goTo);
    },
    json: () => res.status(status).json(json),
  });
}

/** Shows a form again with what was entered and what is wrong with it; everything else goes on to the error page. */
export function showFormAgain(
  req: Request,
  res: Response,
  error: unknown,
  page: (errors: FieldErrors) => Page,
): void {
  const { fields } = error instanceof ShopError ? error : {};
  if (!fields || req.accepts(['html', 'json']) === 'json') throw error;
  sendPage(res.status(422), page(fields));
}

/** Numbers that PostgreSQL's integer can't hold name no object, and are not worth a query. */
export function idOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw notFound(`Number ${text}`);
  return Number(text);
}
