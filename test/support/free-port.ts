/** Ports for servers that cannot choose one themselves. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/**
 * The first of so many ports in a row that nobody listens on. They are below those that the system
 * hands out, so that no connection takes one before it is used.
 */
export async function freePorts(count: number): Promise<number> {
  const first = randomInt(10_000, 32_000);
  for (let port = first; port < first + count; port += 1)
    if (!(await isFree(port))) return freePorts(count);
  return first;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
