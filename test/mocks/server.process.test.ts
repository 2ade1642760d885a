import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startMocks } from '../../mocks/server.ts';
import { freePorts } from '../support/free-port.ts';
import { get, startForTest } from './_mocks.ts';

const MAIN = new URL('../../mocks/server.ts', import.meta.url).pathname;

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Runs the program without the telemetry of the machine it runs on. */
function run(env: NodeJS.ProcessEnv, args: string[] = [MAIN]): Child {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, HOST: '', OTEL_SDK_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function linesUntilReady(child: Child): Promise<string[]> {
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await vi.waitFor(() => expect(output).toMatch(/^ready /mu), 10_000);
  return output.trim().split('\n');
}

/** How many servers this process has listening. */
function servers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
}

async function occupy(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('startMocks', () => {
  it('serves each service on a port of its own', async () => {
    const { orders, payments, shipping } = await startForTest();
    expect(new Set([orders.url, payments.url, shipping.url]).size).toBe(3);
    expect(orders.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
  });

  it('counts open connections', async () => {
    const { orders } = await startForTest();
    expect(orders.openConnections()).toBe(0);
    await get(`${orders.url}/orders`);
    expect(orders.openConnections()).toBe(1);
  });

  it('closes at once, whatever is going on, and leaves no handle', async () => {
    const mocks = await startMocks();
    const { orders, payments, shipping } = mocks;
    orders.fault([{ match: '*', hang: true }]);
    payments.fault([{ match: '*', latencyMs: 600_000 }]);
    const waiting = [get(`${orders.url}/orders`), get(`${payments.url}/payments`)];
    const outcomes = Promise.allSettled(waiting);
    await get(`${shipping.url}/tracking/TRK10011`);
    await vi.waitFor(() => expect(payments.requests()).toHaveLength(1));
    await vi.waitFor(() => expect(orders.requests()).toHaveLength(1));
    await mocks.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    for (const { openConnections } of [orders, payments, shipping]) {
      expect(openConnections()).toBe(0);
    }
    await vi.waitFor(() => expect(servers()).toBe(0));
  });

  it('names the service and the port that is in use and leaves none running', async () => {
    const port = await occupy();
    await expect(startMocks({ ports: { payments: port } })).rejects.toThrow(
      `payments: cannot listen on 127.0.0.1:${port}: the port is in use.`,
    );
    // The one that occupies the port.
    await vi.waitFor(() => expect(servers()).toBe(1));
  });
});

it('leaves nothing that keeps a process alive, not even the delay of a client that left', async () => {
  const program = `
    import { get } from 'node:http';
    import { setTimeout as wait } from 'node:timers/promises';
    import { startMocks } from ${JSON.stringify(MAIN)};
    const { orders, close } = await startMocks();
    orders.fault([{ match: '*', latencyMs: 600_000 }]);
    const request = get(orders.url, { agent: false }).on('error', () => {});
    while (orders.requests().length === 0) await wait(5);
    request.destroy();
    while (orders.openConnections() > 0) await wait(5);
    await close();`;
  const child = run({}, ['--input-type=module', '--eval', program]);
  expect(await once(child, 'exit')).toEqual([0, null]);
});

describe('node mocks/server.ts', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('serves until %s and exits cleanly', async (signal) => {
    const base = await freePorts(3);
    const child = run({ MOCKS_BASE_PORT: String(base) });
    const lines = await linesUntilReady(child);
    expect(lines).toHaveLength(4);
    expect(lines[2]).toContain(`http://127.0.0.1:${base + 2}`);
    expect((await get(`http://127.0.0.1:${base}/orders/ord_1001`)).status).toBe(200);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says which port is in use and exits with 1', async () => {
    const port = await occupy();
    const child = run({ MOCKS_BASE_PORT: String(port) });
    const [code, errors] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect(code).toEqual([1, null]);
    expect(errors).toMatch(/^orders: cannot listen on 127\.0\.0\.1:\d+: the port is in use.*\n$/u);
  });

  it.each(['x', '-1', '65534', '1.5'])('refuses MOCKS_BASE_PORT=%s', async (port) => {
    const child = run({ MOCKS_BASE_PORT: port });
    const [code, errors] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    expect(code).toEqual([1, null]);
    expect(errors).toBe(
      `MOCKS_BASE_PORT is "${port}". Give a whole number from 0 (any free) to 65533.\n`,
    );
  });
});
