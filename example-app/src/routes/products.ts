import { type Request, type Response, Router } from 'express';
import { Op } from 'sequelize';
import { LogEntry } from '../audit';
import { parse } from '../input/parse';
import { newProductInput, productChanges, stockInput } from '../input/product-input';
import { currentUser, may, requirePermission } from '../middleware/current-user';
import { Product } from '../models';
import { notFound } from '../shop-error';
import { logPage } from '../views/log-page';
import { productForm, productHead, productList } from '../views/product-pages';
import { sendPage } from '../views/send';
import { undoLink } from '../views/undo-page';
import { done, idOf, show, showFormAgain } from './answer';

type ProductRequest = Request<{ id: string }>;

const mayEdit = requirePermission('edit');
const mayDelete = requirePermission('delete');

const newForm = { title: 'New product', action: '/products', isNew: true };

export const productRoutes = Router();

productRoutes.get('/', async (_req, res) => {
  const [products, removed] = await Promise.all([
    Product.findAll({ order: ['name'] }),
    Product.findAll({ where: { deletedAt: { [Op.ne]: null } }, paranoid: false, order: ['name'] }),
  ]);
  show(
    res,
    () => productList({ products, removed, user: currentUser(res) }),
    () => ({ products, removed }),
  );
});

productRoutes.get('/new', mayEdit, (_req, res) => {
  sendPage(res, productForm({ ...newForm, values: {} }));
});

productRoutes.post('/', mayEdit, async (req, res) => {
  try {
    changed(res, await Product.create(parse(newProductInput, req.body)), 'is for sale', 201);
  } catch (error) {
    showFormAgain(req, res, error, (errors) => productForm({ ...newForm, values: req.body, errors }));
  }
});

productRoutes.get('/:id/edit', mayEdit, async (req, res) => {
  const product = await findProduct(req);
  sendPage(res, productForm({ ...editForm(product), values: product.get() }));
});

productRoutes.post('/:id', mayEdit, editProduct);
productRoutes.patch('/:id', mayEdit, editProduct);

productRoutes.post('/:id/stock', mayEdit, async (req, res) => {
  const product = await findProduct(req);
  const { by } = parse(stockInput, req.body);
  await product.increment({ stock: by });
  changed(res, await product.reload(), 'has its new stock');
});

productRoutes.post('/:id/remove', mayDelete, removeProduct);
productRoutes.delete('/:id', mayDelete, removeProduct);

productRoutes.post('/:id/restore', mayDelete, async (req, res) => {
  const product = await findProduct(req);
  await product.restore();
  changed(res, product, 'is for sale again');
});

productRoutes.get('/:id/log', async (req, res) => {
  const product = await findProduct(req);
  const entries = await LogEntry.forObject(product);
  const title = `Log of ${product.name}`;
  const more = may(currentUser(res), 'bulk-edit') ? undoLink : undefined;
  show(
    res,
    () => logPage({ title, section: 'products', head: productHead(product), entries, more }),
    () => entries,
  );
});

async function editProduct(req: ProductRequest, res: Response): Promise<void> {
  const product = await findProduct(req);
  try {
    changed(res, await product.update(parse(productChanges, req.body)), 'is saved');
  } catch (error) {
    showFormAgain(req, res, error, (errors) =>
      productForm({ ...editForm(product), values: req.body, errors }),
    );
  }
}

async function removeProduct(req: ProductRequest, res: Response): Promise<void> {
  const product = await findProduct(req);
  await product.destroy();
  changed(res, product, 'is no longer sold');
}

async function findProduct(req: ProductRequest): Promise<Product> {
  const product = await Product.findByPk(idOf(req.params.id), { paranoid: false });
  if (!product) throw notFound('This product');
  return product;
}

const editForm = ({ id, name }: Product): { title: string; action: string } => ({
  title: `Edit ${name}`,
  action: `/products/${id}`,
});

function changed(res: Response, product: Product, what: string, status = 200): void {
  done(res, { goTo: '/products', notice: `${product.name} ${what}.`, json: product, status });
}
