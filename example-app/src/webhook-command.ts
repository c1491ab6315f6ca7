import { sequelize } from './database';
import { WebhookCursor } from './webhook/cursor';
import { followLog } from './webhook/follow-log';

/** Posts every entry of the log to WEBHOOK_URL until it is told to stop. */
async function main(): Promise<void> {
  const url = process.env['WEBHOOK_URL'];
  if (!url) throw new Error('WEBHOOK_URL is not set. Example: https://collector.example/audit');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
  await WebhookCursor.sync();
  await followLog({ name: 'webhook', url, signal: stop.signal });
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => sequelize.close());
