import type { AddressInfo } from 'node:net';
import { closeServer, listenOnFreePort } from './listen';
import { openShop } from './open-shop';
import { welcome } from './welcome';

const DEFAULT_PORT = 3000;

async function main(): Promise<void> {
  const shop = await openShop();
  const server = await listenOnFreePort(shop.app, Number(process.env['PORT'] ?? DEFAULT_PORT));
  console.log(welcome((server.address() as AddressInfo).port));
  onStopSignal(async () => {
    await closeServer(server);
    await shop.close();
  });
}

function onStopSignal(stop: () => Promise<void>): void {
  const stopOnce = (): void => {
    for (const signal of SIGNALS) process.off(signal, stopOnce);
    stop().then(() => process.exit(0), fail);
  };
  for (const signal of SIGNALS) process.once(signal, stopOnce);
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

main().catch(fail);
