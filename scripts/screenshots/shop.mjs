import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const REPOSITORY = path.join(import.meta.dirname, '..', '..');
const ADDRESS = /http:\/\/localhost:\d+/;

/** The example shop on a free port, with its seeded history in DATABASE_URL. */
export async function openShop() {
  execFileSync('npm', ['run', 'build', '-w', 'example-app'], { cwd: REPOSITORY, stdio: 'inherit' });
  const server = spawn(process.execPath, [path.join(REPOSITORY, 'example-app', 'dist', 'server.js')], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  };
  return { root: await addressOf(server), close };
}

async function addressOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const [address] = ADDRESS.exec(line) ?? [];
    if (address) {
      server.stdout.resume();
      return address;
    }
  }
  throw new Error('The shop ended before it was open.');
}
