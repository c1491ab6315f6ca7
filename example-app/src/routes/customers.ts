import { type Request, type Response, Router } from 'express';
import { renderTimeline } from 'sequelize-auditlog/web';
import { auditLog } from '../audit';
import { addressChanges, customerChanges, newCustomerInput } from '../input/customer-input';
import { parse } from '../input/parse';
import { currentUser, may, requirePermission } from '../middleware/current-user';
import { Customer } from '../models';
import { deleteCustomer, findAddress, findCustomer } from '../services/customers';
import { customerForm, customerList, customerPage } from '../views/customer-pages';
import { Html } from '../views/html';
import { sendPage } from '../views/send';
import { done, idOf, show, showFormAgain } from './answer';

type CustomerRequest = Request<{ id: string }>;

const TIMELINE_LENGTH = 8;

const mayEdit = requirePermission('edit');
const mayDelete = requirePermission('delete');

const newForm = { title: 'New customer', action: '/customers' };

export const customerRoutes = Router();

customerRoutes.get('/', async (_req, res) => {
  const customers = await Customer.findAll({ order: ['name'] });
  show(
    res,
    () => customerList({ customers, user: currentUser(res) }),
    () => customers,
  );
});

customerRoutes.get('/new', mayEdit, (_req, res) => {
  sendPage(res, customerForm({ ...newForm, values: {} }));
});

customerRoutes.post('/', mayEdit, async (req, res) => {
  try {
    const customer = await Customer.create(parse(newCustomerInput, req.body));
    changed(res, customer, 'is on file', 201);
  } catch (error) {
    showFormAgain(req, res, error, (errors) => customerForm({ ...newForm, values: req.body, errors }));
  }
});

/** Who looked at personal data is asked as often as who changed it. */
customerRoutes.get('/:id', async (req, res) => {
  const customer = await findCustomer(idOf(req.params.id));
  await auditLog.logAccess(customer);
  const user = currentUser(res);
  const timeline = may(user, 'audit:view') ? await timelineOf(customer) : null;
  show(
    res,
    () => customerPage({ customer, user, timeline }),
    () => customer,
  );
});

const timelineOf = async ({ id }: Customer): Promise<Html> =>
  new Html(await renderTimeline(auditLog, Customer, id, { limit: TIMELINE_LENGTH }));

customerRoutes.get('/:id/edit', mayEdit, async (req, res) => {
  const customer = await findCustomer(idOf(req.params.id));
  sendPage(res, customerForm({ ...editForm(customer), values: customer.get() }));
});

customerRoutes.post('/:id', mayEdit, editCustomer);
customerRoutes.patch('/:id', mayEdit, editCustomer);

customerRoutes.post('/:id/addresses/:addressId', mayEdit, async (req, res) => {
  const customer = await findCustomer(idOf(req.params.id));
  const address = await findAddress(customer.id, idOf(req.params.addressId));
  await address.update(parse(addressChanges, req.body));
  changed(res, customer, 'has another address');
});

customerRoutes.post('/:id/delete', mayDelete, removeCustomer);
customerRoutes.delete('/:id', mayDelete, removeCustomer);

async function editCustomer(req: CustomerRequest, res: Response): Promise<void> {
  const customer = await findCustomer(idOf(req.params.id));
  try {
    changed(res, await customer.update(parse(customerChanges, req.body)), 'is saved');
  } catch (error) {
    showFormAgain(req, res, error, (errors) =>
      customerForm({ ...editForm(customer), values: req.body, errors }),
    );
  }
}

async function removeCustomer(req: CustomerRequest, res: Response): Promise<void> {
  const id = idOf(req.params.id);
  await deleteCustomer(id);
  done(res, {
    goTo: '/customers',
    notice: `Customer ${id} is deleted, with the addresses.`,
    json: { deleted: id },
  });
}

const editForm = ({ id, name }: Customer): { title: string; action: string } => ({
  title: `Edit ${name}`,
  action: `/customers/${id}`,
});

function changed(res: Response, customer: Customer, what: string, status = 200): void {
  done(res, {
    goTo: `/customers/${customer.id}`,
    notice: `${customer.name} ${what}.`,
    json: customer,
    status,
  });
}
