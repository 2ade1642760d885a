/** A gateway before a shop whose answers are given by hand, and clients that can be told apart by their traces. */
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { call, defineComposition, defineService, operation } from 'plait';
import type { Composition, Service } from 'plait';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import type { Overload } from '../../src/edge/overload.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Upstream } from '../support/upstream.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import type { Answer } from '../support/request.ts';
import { clientTrace } from './_traced.ts';

export interface ShopOptions {
  readonly clock: FakeClock;
  readonly telemetry: Telemetry;
  /** Of the shop; what fails is not asked again unless it says so. */
  readonly policies?: Partial<ServiceConfig>;
  /** Serves `GET /shop/:name`. Default: `partOf`. */
  readonly compose?: (shop: Service) => Composition;
  readonly overload?: Overload;
  readonly gateway?: Pick<WithMocksOptions, 'edge' | 'secrets' | 'notServed'>;
}

export interface Shop {
  readonly upstream: Upstream;
  /** `GET /shop/<name>`, in a trace of its own, which `00` leaves unrecorded. */
  ask(name: string, flag?: '00' | '01'): Asked;
  /** The same from another address than that of `ask`. */
  askFromElsewhere(name: string): Asked;
  /** Stops the gateway, which cuts off what is under way. */
  stop(): Promise<void>;
}

export interface Asked {
  /** That of the client, which the gateway may continue. */
  readonly traceId: string;
  readonly answer: Promise<Answer>;
  leave(): void;
}

export async function startTracedShop(options: ShopOptions): Promise<Shop> {
  const { clock, telemetry, policies, overload, gateway, compose = partOf } = options;
  const upstream = await startUpstream();
  const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false, ...policies });
  const app = await startWithMocks({
    compositions: { shop: compose(shop) },
    telemetry,
    clock,
    environment: { SHOP_URL: upstream.url, SECRET: 'secret' },
    ...(overload && { overload }),
    ...gateway,
  });
  return {
    upstream,
    ask(name, flag) {
      const { traceId, headers } = clientTrace(flag);
      const client = new AbortController();
      const answer = app.get(`/shop/${name}`, { headers: { ...headers }, signal: client.signal });
      // A client that has left does not look at its answer.
      answer.catch(() => undefined);
      return { traceId, answer, leave: () => client.abort() };
    },
    askFromElsewhere(name) {
      const { traceId, headers } = clientTrace();
      const sent = get(`${app.url}/shop/${name}`, { headers, localAddress: '127.0.0.2' });
      const answer = once(sent, 'response').then(([response]) => readAnswer(response));
      return { traceId, answer, leave: () => sent.destroy() };
    },
    stop: () => app.close(0),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const json: unknown = JSON.parse(await text(response));
  return { status: response.statusCode ?? 0, headers: new Headers(), json };
}

/** `GET /shop/a` asks for `GET /parts/a`. */
export function partOf(shop: Service): Composition {
  const part = operation(shop, {
    name: 'part',
    route: 'GET /parts/:name',
    response: z.object({ value: z.string() }),
  });
  return defineComposition({
    route: 'GET /shop/:name',
    deadlineMs: 5_000,
    compose: ({ params }) => ({ part: call(part, { name: params.name }) }),
  });
}

/** Asks, and waits until the request has set so many timers more: it then waits for something itself. */
export async function until<T>(clock: FakeClock, timers: number, ask: () => T): Promise<T> {
  const before = clock.pending;
  const asked = ask();
  await vi.waitFor(() => expect(clock.pending - before).toBe(timers), { interval: 1 });
  return asked;
}
