/** A Redis for the rows that need one, on a core that the system chooses. */
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { endWithUs } from './child.ts';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** Starts a Redis that keeps nothing, and ends with this process. Resolves with its URL. */
export async function startRedis(folder: string): Promise<string> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const redis = spawn('redis-server', options, { stdio: 'ignore' });
  redis.unref();
  void endWithUs(redis);
  await untilItListens(port, 50);
  return `redis://127.0.0.1:${port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP
  server.close();
  await once(server, 'close');
  return port;
}

async function untilItListens(port: number, attempts: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (attempts === 0) throw error;
    await setTimeout(100);
    await untilItListens(port, attempts - 1);
  } finally {
    socket.destroy();
  }
}
