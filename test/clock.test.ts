/** The system's clock: what a blocked event loop does to time limits. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../src/clock.ts';
import { operation } from '../src/dsl/declare-operation.ts';
import type { ServiceConfig } from '../src/dsl/service.ts';
import { failureOf, openShop } from './support/upstream-calls.ts';

/** Of a thread of its own, since a blocked event loop does not answer either. */
const service = `
  const { createServer } = require('node:http');
  const { parentPort } = require('node:worker_threads');
  const server = createServer((request, response) => {
    const delayMs = Number(request.url.split('/').at(-1));
    setTimeout(() => response.setHeader('content-type', 'application/json').end('"done"'), delayMs);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

/** A shop whose answers take as long as they are asked to. */
async function openSlowShop(config: Partial<ServiceConfig>) {
  const worker = new Worker(service, { eval: true });
  onTestFinished(async () => void (await worker.terminate()));
  const [port] = (await once(worker, 'message')) as [number];
  const shop = openShop({ url: `http://127.0.0.1:${port}`, service: config });
  const slow = operation(shop.service, { route: 'GET /after/:ms', response: z.string() });
  return { call: (ms: number) => shop.call(slow, { ms: String(ms) }, undefined) };
}

/** Lets requests leave, and then runs nothing else for a while, just before timers are due. */
async function blockFor(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
  await new Promise((resolve) => setImmediate(resolve));
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('after the event loop was blocked', () => {
  it('an answer that had arrived in time is no timeout', async () => {
    const { call } = await openSlowShop({ timeoutMs: 200 });
    await call(0);
    const answer = call(80);
    await blockFor(400);
    expect(await answer).toMatchObject({ value: 'done' });
  });

  it('a call that waits for a permit gets the one that an arrived answer frees', async () => {
    const bulkhead = { concurrency: 1, queue: 1, waitMs: 100 };
    const { call } = await openSlowShop({ bulkhead });
    await call(0);
    const answers = [call(60), call(1)];
    await blockFor(300);
    expect(await Promise.all(answers)).toMatchObject([{ value: 'done' }, { value: 'done' }]);
  });

  it('a service that has not answered in time has still failed', async () => {
    const { call } = await openSlowShop({ timeoutMs: 200 });
    await call(0);
    const failure = failureOf(call(5_000));
    await blockFor(400);
    expect(await failure).toMatchObject({ kind: 'timeout' });
  });

  it('a task can be cancelled until it has run', async () => {
    const done: string[] = [];
    const cancel = systemClock.after(10, () => done.push('late'));
    systemClock.after(5, cancel);
    await blockFor(100);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(done).toEqual([]);
  });
});
