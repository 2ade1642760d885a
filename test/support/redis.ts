/** A real Redis for a test, if redis-server is installed. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { freePort } from './free-port.ts';

const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** With `CI` set, tests fail for want of redis-server instead of being skipped. */
export const isRedisSkipped = !isInstalled && !process.env['CI'];
if (isRedisSkipped) {
  process.stdout.write('redis-server is not installed: the tests that need it are skipped\n');
}

/**
 * Has a test try up to three times: a store that is held up for 50 ms takes its Redis for a slow one,
 * and does without it for a while.
 */
export const patient = { retry: 2 };

export interface TestRedis {
  readonly url: string;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it if it runs; the new one is empty. */
  restart(): Promise<void>;
  /** The reply to `command`, as Redis writes it. */
  ask(command: string): Promise<string>;
}

/** Starts a Redis that ends with the test. */
export async function startRedis(): Promise<TestRedis> {
  if (!isInstalled) throw new Error('redis-server is not installed: apt-get install redis-server');
  const folder = mkdtempSync(join(tmpdir(), 'plait-redis-'));
  const port = await freePort();
  let server = launch();
  onTestFinished(async () => {
    await kill();
    rmSync(folder, { recursive: true });
  });
  await isListening();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    restart: async () => {
      await kill();
      server = launch();
      await isListening();
    },
    ask: (command) => ask(port, command),
  };

  function launch(): ChildProcess {
    const own = `--port ${port} --bind 127.0.0.1 --save  --appendonly no --dir ${folder}`;
    return spawn('redis-server', own.split(' '), { stdio: 'ignore' });
  }

  async function isListening(): Promise<void> {
    await vi.waitFor(() => ask(port, 'PING'));
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }
}

async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(`${command}\r\n`);
    const [data] = await once(socket, 'data');
    return String(data);
  } finally {
    socket.destroy();
  }
}
