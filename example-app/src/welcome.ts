import { PASSWORD, USERS } from './seed/catalogue';

const MAY: Readonly<Record<string, string>> = {
  sales: 'sales: create and edit orders, products, customers',
  support: 'support: read, the audit log included',
  admin: 'admin: everything; also delete, export and revert',
};

export function welcome(port: number): string {
  const shop = `http://localhost:${port}`;
  const logins = USERS.map(({ email, role }) => `    ${email.padEnd(20)} ${PASSWORD.padEnd(6)} ${MAY[role]}`);
  return `
  Kettle & Paper is open:  ${shop}
  Its audit log:           ${shop}/audit/  (log in as sam or ada first)

  Log in as            with   who may
${logins.join('\n')}

  Two minutes
    1. As alice, change an order and one of its items. In a private window, as sam, open Audit: both are there.
    2. Open the change: what exactly, who, when, from where, by which request. The card number is masked.
    3. Open the order's timeline, go back in time, compare two versions. The address bar keeps what you see.
    4. As ada, revert the change with a reason, without one of its fields; then revert the revert.
    5. Audit, Deleted: a customer was taken for a duplicate. Undo that transaction: the addresses come back, too.
    6. Search the log:  actor:price-import field:price   or   ip:203.0.113.66  (somebody was here at night)
    7. As ada, make 50 edits at once (below, on the home page): 50 entries, none lost, no gap.

  README.md has the tour in full. Stop with Ctrl+C.
`;
}
