import { auditLog } from '../audit';
import { Address } from '../models';
import { deleteCustomer } from '../services/customers';
import { atCounter, inOffice, onThePhone } from './actors';
import { CITIES, CUSTOMER_NOTES, DELETED_CUSTOMER, STREETS } from './catalogue';
import { atHour, SEEDED_DAYS, workingTime } from './clock';
import type { Random } from './random';
import type { World } from './world';

const MOVES = 40;
const NOTES = 60;
const VIEWS = 300;

export function planCustomers(world: World): void {
  repeat(world, MOVES, planMove);
  repeat(world, NOTES, planNote);
  repeat(world, VIEWS, planView);
  planDeletion(world);
}

/** Spread over the time, and not on the last days, when the one customer is gone. */
function repeat(world: World, count: number, plan: (world: World, at: Date) => void): void {
  const times = world.about(count);
  for (let index = 0; index < times; index += 1) {
    const day = 2 + Math.floor((index * (SEEDED_DAYS - 8)) / times);
    plan(world, workingTime(day, world.random));
  }
}

export const newAddress = (random: Random): { street: string; city: string } => ({
  street: `${random.between(1, 140)} ${random.pick(STREETS)}`,
  city: random.pick(CITIES),
});

function planMove({ timeline, random, staff, customers }: World, at: Date): void {
  const { id } = random.pick(customers);
  const values = newAddress(random);
  let addressId = 0;
  timeline.add({
    at,
    by: { ...atCounter(staff), reason: 'has moved' },
    request: () => `POST /customers/${id}/addresses/${addressId}`,
    run: async () => {
      const address = await Address.findOne({
        where: { customerId: id },
        order: ['id'],
        rejectOnEmpty: true,
      });
      addressId = address.id;
      await address.update(values);
    },
  });
}

function planNote({ timeline, random, staff, customers }: World, at: Date): void {
  const customer = random.pick(customers);
  const note = random.pick(CUSTOMER_NOTES);
  timeline.add({
    at,
    by: { ...atCounter(staff), reason: 'said so on the phone' },
    request: () => `POST /customers/${customer.id}`,
    run: () => customer.update({ note }),
  });
}

/** Support looks customers up. Reading a customer's page is recorded, too. */
function planView({ timeline, random, staff, customers }: World, at: Date): void {
  const customer = random.pick(customers);
  timeline.add({
    at,
    by: onThePhone(staff),
    request: () => `GET /customers/${customer.id}`,
    run: () => auditLog.logAccess(customer),
  });
}

/** With the addresses, which a foreign key takes along; the orders stay, without their customer. */
function planDeletion({ timeline, staff, customers }: World): void {
  const gone = customers.find(({ name }) => name === DELETED_CUSTOMER);
  if (!gone) throw new Error(`${DELETED_CUSTOMER} is no customer.`);
  timeline.add({
    at: atHour(SEEDED_DAYS - 4, 16, 20),
    by: { ...inOffice(staff), reason: 'taken for a duplicate' },
    request: () => `POST /customers/${gone.id}/delete`,
    run: () => deleteCustomer(gone.id),
  });
}
