import { PASSWORD, USERS } from './seed/catalogue';

const MAY: Readonly<Record<string, string>> = {
  admin: 'everything, also delete and bulk-edit',
  clerk: 'create and edit orders',
  support: 'read only',
};

export function welcome(port: number): string {
  const logins = USERS.map(
    ({ email, role }) => `    ${email.padEnd(22)} ${PASSWORD.padEnd(10)} ${MAY[role]}`,
  );
  return `
  Kettle & Paper is open:  http://localhost:${port}

  Log in as                with       and may
${logins.join('\n')}

  Five things to try
    1. As clerk, change the customer of an order and ship it; then open its Log: who, when, from where.
    2. As admin, choose a few orders in the list and cancel them all at once, with a reason; each has its own entry.
    3. Open an order as it was months ago, compare two versions, put one back: http://localhost:${port}/orders/1/at
    4. As admin, undo what the last price import did, from the log of a product: http://localhost:${port}/products
    5. Delete an order. Its Log and its Versions stay, and it can come back: http://localhost:${port}/orders/deleted

  The same addresses answer JSON to whoever asks with "Accept: application/json".
  Stop with Ctrl+C.
`;
}
