import { Address, Customer, Order } from '../models';
import { notFound } from '../shop-error';

const ORDERS_SHOWN = 10;

export async function findCustomer(id: number): Promise<Customer> {
  const customer = await Customer.findByPk(id, {
    include: [
      { model: Address, as: 'addresses' },
      // A query of its own, since a limit can't be part of the join.
      { model: Order, as: 'orders', separate: true, order: [['id', 'desc']], limit: ORDERS_SHOWN },
    ],
    order: [[{ model: Address, as: 'addresses' }, 'id', 'asc']],
  });
  if (!customer) throw notFound(`Customer ${id}`);
  return customer;
}

export async function findAddress(customerId: number, id: number): Promise<Address> {
  const address = await Address.findOne({ where: { id, customerId } });
  if (!address) throw notFound('This address');
  return address;
}

/** One DELETE: that the addresses go too, and orders lose their customer, is what the foreign keys do. */
export async function deleteCustomer(id: number): Promise<void> {
  const customer = await Customer.findByPk(id);
  if (!customer) throw notFound(`Customer ${id}`);
  await customer.destroy();
}
