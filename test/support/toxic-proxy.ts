/** The toxic proxy for tests, closed with the test. Outside of vitest use `toxic/proxy.ts`. */
import { onTestFinished } from 'vitest';
import { createToxicProxy } from './toxic/proxy.ts';
import type { ToxicProxy } from './toxic/proxy.ts';

export type { ToxicProxy } from './toxic/proxy.ts';
export type { Toxic } from './toxic/toxic.ts';

/** @example `await (await startToxicProxy(server.url)).use({ kind: 'latency', ms: 50 })` */
export async function startToxicProxy(upstreamUrl: string): Promise<ToxicProxy> {
  const proxy = await createToxicProxy(upstreamUrl);
  onTestFinished(() => proxy.close());
  return proxy;
}
