/** A gateway in front of a shop that is reached over bad networks: every address of it is a toxic proxy. */
import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, defineComposition, defineService, fallback, operation, optional } from 'plait';
import { z } from 'zod';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import type { ServiceStatus } from '../../src/upstream/service.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { request } from '../support/request.ts';
import type { RunningGateway } from '../support/gateway-with-mocks.ts';
import type { Answer } from '../support/request.ts';
import { startToxicProxy } from '../support/toxic-proxy.ts';
import type { ToxicProxy } from '../support/toxic-proxy.ts';
import { startServer } from '../support/servers.ts';

export interface ShopOptions {
  readonly service?: Partial<ServiceConfig>;
  readonly deadlineMs?: number;
  /**
   * The answers of the shop at each of its addresses. Default: one address with a thing for
   * everybody.
   */
  readonly answers?: readonly RequestListener[];
}

export interface Shop {
  readonly gateway: RunningGateway;
  /** One for every address. */
  readonly proxies: readonly [ToxicProxy, ...ToxicProxy[]];
  /** `GET /required/1`, `GET /optional/1`, `GET /fallback/1`, `POST /required/1`, `POST /optional/1` */
  ask(what: string, headers?: Readonly<Record<string, string>>): Promise<Timed>;
  /** How often the gateway has tried to send something, whether or not it arrived. */
  attempts(): number;
  /** How many requests have arrived, at all addresses. */
  requests(): number;
  /** The status of the service on the management side. */
  status(): Promise<ServiceStatus>;
}

export interface Timed extends Answer {
  /** From the arrival of the request at the gateway to its answer, by the gateway's clock. */
  readonly elapsedMs: number;
}

const thing = JSON.stringify({ id: '1', note: 'x'.repeat(200) });

/** After `latencyMs`. */
export function answering(latencyMs = 0): RequestListener {
  return (_, response) => {
    response.setHeader('content-type', 'application/json');
    if (latencyMs === 0) response.end(thing);
    else setTimeout(() => response.end(thing), latencyMs);
  };
}

/** Stops by itself when the test is over. */
export async function startToxicShop(options: ShopOptions = {}): Promise<Shop> {
  const { service = {}, deadlineMs = 10_000, answers = [answering()] } = options;
  const [first, ...others] = await Promise.all(
    answers.map(async (answer) => startToxicProxy((await startServer(answer)).url)),
  );
  if (first === undefined) throw new Error('the shop has no address');
  const proxies = [first, ...others] as const;
  const observer = observe();
  const gateway = await startWithMocks({
    compositions: compositionsOf(service, deadlineMs),
    telemetry: observer.telemetry,
    adminPort: 0,
    environment: { ORDERS_URL: proxies.map(({ url }) => url).join(',') },
  });
  let asked = 0;
  return {
    gateway,
    proxies,
    attempts: observer.attempts,
    requests: () => proxies.reduce((sum, proxy) => sum + proxy.requests, 0),
    async ask(what, headers = {}) {
      const [method = 'GET', path = '/'] = what.split(' ');
      const id = `ask-${(asked += 1)}`;
      const answer = await gateway.get(path, {
        method,
        headers: { 'x-request-id': id, 'content-type': 'application/json', ...headers },
        ...(method === 'POST' && { body: '{"note":"new"}' }),
      });
      return { ...answer, elapsedMs: observer.elapsedMs(id) };
    },
    status: async () => (await request(`${gateway.adminUrl}/upstreams`)).json.upstreams[0],
  };
}

/** Counts attempts and measures requests, from where telemetry does. */
function observe() {
  const elapsed = new Map<string, number>();
  let attempts = 0;
  const telemetry: Telemetry = {
    ...unobserved,
    watchRequests: [
      (c) => () => {
        const { requestId, startedAt } = c.get('record');
        elapsed.set(requestId, performance.now() - startedAt);
      },
    ],
    watchAttempt: () => {
      attempts += 1;
      return {};
    },
  };
  return { telemetry, attempts: () => attempts, elapsedMs: (id: string) => elapsed.get(id) ?? NaN };
}

const Thing = z.object({ id: z.string(), note: z.string() });

function compositionsOf(config: Partial<ServiceConfig>, deadlineMs: number) {
  const shop = defineService({ name: 'shop', url: { env: 'ORDERS_URL' }, ...config });
  const getThing = operation(shop, { route: 'GET /things/:id', response: Thing });
  const body = z.object({ note: z.string() });
  const makeThing = operation(shop, { route: 'POST /things/:id', body, response: Thing });
  return {
    required: defineComposition({
      route: 'GET /required/:id',
      deadlineMs,
      compose: ({ params }) => ({ thing: call(getThing, { id: params.id }) }),
    }),
    optional: defineComposition({
      route: 'GET /optional/:id',
      deadlineMs,
      compose: ({ params }) => ({ thing: optional(call(getThing, { id: params.id })) }),
    }),
    fallback: defineComposition({
      route: 'GET /fallback/:id',
      deadlineMs,
      compose: ({ params }) => ({
        thing: fallback(call(getThing, { id: params.id }), { id: 'none', note: '' }),
      }),
    }),
    requiredWrite: defineComposition({
      route: 'POST /required/:id',
      body,
      deadlineMs,
      compose: (input) => ({ thing: call(makeThing, { id: input.params.id, body: input.body }) }),
    }),
    optionalWrite: defineComposition({
      route: 'POST /optional/:id',
      body,
      deadlineMs,
      compose: (input) => ({
        thing: optional(call(makeThing, { id: input.params.id, body: input.body })),
      }),
    }),
  };
}

/** The resources that keep this process alive, by kind, without those of the test runner. */
export function activeResources(): Readonly<Record<string, number>> {
  const kinds = process.getActiveResourcesInfo().filter((kind) => /^TCP|^Timeout/.test(kind));
  const counted = Object.groupBy(kinds, (kind) => kind);
  return Object.fromEntries(Object.entries(counted).map(([kind, all]) => [kind, all?.length ?? 0]));
}

/** `look` again until it holds; not by `expect.poll`, whose timers would be among the active resources. */
export async function holds(look: () => boolean, withinMs = 3_000): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (!look() && performance.now() < until) await sleep(5);
  return look();
}
