import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Express } from 'express';

const PORTS_TO_TRY = 20;

/** The wanted port, or the next one that is free. */
export async function listenOnFreePort(app: Express, wanted: number): Promise<Server> {
  for (let port = wanted; port < wanted + PORTS_TO_TRY; port += 1) {
    const server = await tryToListen(app, port);
    if (server) return server;
  }
  throw new Error(
    `All ports from ${wanted} to ${wanted + PORTS_TO_TRY - 1} are taken. Set PORT to another one.`,
  );
}

async function tryToListen(app: Express, port: number): Promise<Server | undefined> {
  const server = createServer(app);
  server.listen(port);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Stops taking requests, and waits for those that are being answered. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
