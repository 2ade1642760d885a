/** One composition at `GET /test`, the upstream it calls and the operations it calls there. */
import { expect } from 'vitest';
import { z } from 'zod';
import type { ResponseCache } from '../../src/dsl/cache.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import type { Overload } from '../../src/edge/overload.ts';
import { startWithMocks } from './gateway-with-mocks.ts';
import type { RunningGateway } from './gateway-with-mocks.ts';
import type { Answer } from './request.ts';
import { createFakeClock } from './fake-clock.ts';
import type { FakeClock } from './fake-clock.ts';
import { startUpstream } from './upstream.ts';
import type { Upstream } from './upstream.ts';

const service = defineService({ name: 'upstream', url: { env: 'UPSTREAM_URL' } });
const Part = z.object({ value: z.string() });

/** `GET /parts/:name`, optionally with `?after=…` to depend on something. */
export const part = operation(service, {
  name: 'part',
  route: 'GET /parts/:name',
  query: z.object({ after: z.string().nullish() }),
  response: Part,
});

/** The same with 50 ms for its only attempt. */
export const hastyPart = operation(service, {
  name: 'hastyPart',
  route: 'GET /hasty/:name',
  response: Part,
  timeoutMs: 50,
  retry: false,
});

/** The same in the client's language. */
export const localPart = operation(service, {
  name: 'localPart',
  route: 'GET /local/:name',
  response: Part,
  forward: ['accept-language'],
});

/** The same for the client who asks. */
export const ownPart = operation(service, {
  name: 'ownPart',
  route: 'GET /own/:name',
  response: Part,
  forward: ['authorization'],
});

/** The same, kept for a minute, and for another while it is refreshed. */
export const keptPart = operation(service, {
  name: 'keptPart',
  route: 'GET /kept/:name',
  response: Part,
  cache: { ttlMs: 60_000, staleWhileRevalidateMs: 60_000, tags: ['parts'] },
});

export const maybe = operation(service, {
  name: 'maybe',
  route: 'GET /maybe/:name',
  response: Part.nullable(),
});

export const list = operation(service, {
  name: 'list',
  route: 'GET /lists/:name',
  response: z.array(z.object({ id: z.string() })),
});

export const priceOf = lookup(service, {
  name: 'priceOf',
  route: 'GET /prices',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string(), price: z.number() }),
});

export const write = operation(service, {
  name: 'write',
  route: 'POST /writes/:name',
  body: z.object({ note: z.string() }),
  response: Part,
});

export interface Serving extends RunningGateway {
  readonly upstream: Upstream;
  readonly clock: FakeClock;
  /** `GET /test`, or what `init` says. */
  ask(init?: RequestInit): Promise<Answer>;
}

export interface ServeOptions {
  readonly route?: 'GET /test' | 'POST /test';
  readonly deadlineMs?: number;
  readonly degraded?: 'allow' | 'fail';
  readonly cache?: ResponseCache;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly response?: z.ZodType;
  /** The management side, on any free port. */
  readonly managed?: boolean;
  /** The system's clock instead of the one that stands still. */
  readonly realTime?: boolean;
  /** Default: load is never shed. */
  readonly overload?: Overload;
  readonly telemetry?: Telemetry;
}

/** Serves what `compose` describes. Time stands still: see `clock`. */
export async function serve(compose: () => unknown, options: ServeOptions = {}): Promise<Serving> {
  const upstream = await startUpstream();
  const clock = createFakeClock();
  const {
    route = 'GET /test',
    realTime = false,
    managed = false,
    overload,
    telemetry,
    ...config
  } = options;
  const app = await startWithMocks({
    compositions: { test: defineComposition({ ...config, route, compose }) },
    environment: { UPSTREAM_URL: upstream.url },
    ...(!realTime && { clock }),
    ...(managed && { adminPort: 0 }),
    ...(overload && { overload }),
    ...(telemetry && { telemetry }),
  });
  return { ...app, upstream, clock, ask: (init) => app.get('/test', init) };
}

/** Waits for two round trips: long enough to notice what should not happen. */
export async function quiet(app: RunningGateway): Promise<void> {
  await app.get('/livez');
  await app.get('/livez');
}

/** Expects that nothing of a request is left: no timer, and no call that somebody waits for. */
export async function expectNothingLeft(app: Serving): Promise<void> {
  await expect.poll(() => app.upstream.waiting()).toBe(0);
  expect(app.clock.pending).toBe(0);
  expect(app.internalErrors).toEqual([]);
}

export function value(text: string): { value: string } {
  return { value: text };
}

/** `n` items with ids `1` … `n`. */
export function items(n: number): { id: string }[] {
  return Array.from({ length: n }, (_, index) => ({ id: String(index + 1) }));
}
