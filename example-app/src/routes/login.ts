import { promisify } from 'node:util';
import { type Request, Router } from 'express';
import { User } from '../models';
import { hashPassword, verifyPassword } from '../password';
import { ShopError } from '../shop-error';
import { loginPage } from '../views/login-page';
import { sendPage } from '../views/send';

export const loginRoutes = Router();

loginRoutes.get('/login', (req, res) => {
  sendPage(res, loginPage({ next: localPath(req.query['next']) }));
});

loginRoutes.post('/login', async (req, res) => {
  const { email, password, next } = credentials(req.body);
  const user = await authenticate(email, password);
  if (!user) return refuse(req, () => sendPage(res.status(401), loginPage({ next, email, failed: true })));
  await startSession(req, user);
  res.format({
    html: () => res.redirect(303, next),
    json: () => res.json({ id: user.id, email: user.email, role: user.role }),
  });
});

loginRoutes.post('/logout', async (req, res) => {
  await promisify(req.session.destroy.bind(req.session))();
  res.format({ html: () => res.redirect(303, '/login'), json: () => res.status(204).end() });
});

function refuse(req: Request, showForm: () => void): void {
  if (req.accepts(['html', 'json']) === 'json') throw new ShopError(401, 'Wrong e-mail address or password.');
  showForm();
}

async function authenticate(email: string, password: string): Promise<User | null> {
  const user = await User.findOne({ where: { email } });
  // An unknown address takes as long as a wrong password, so that trying tells nobody who has an account.
  const hash = user?.passwordHash ?? (await decoyHash);
  return (await verifyPassword(password, hash)) ? user : null;
}

const decoyHash = hashPassword('nobody has this one');

async function startSession(req: Request, user: User): Promise<void> {
  // A new id, or whoever planted the old one would be logged in as well.
  await promisify(req.session.regenerate.bind(req.session))();
  req.session.userId = user.id;
}

function credentials(body: unknown): { email: string; password: string; next: string } {
  const { email, password, next } = (body ?? {}) as Record<string, unknown>;
  return { email: text(email), password: text(password), next: localPath(next) };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Only a path of ours: `//elsewhere.example` would lead to another site. */
const localPath = (value: unknown): string => (/^\/(?![/\\])/.test(text(value)) ? text(value) : '/');
