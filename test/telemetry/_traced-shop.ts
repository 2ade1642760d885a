/** A gateway before a shop whose answers are given by hand, and clients that can be told apart by their traces. */
import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { call, defineComposition, defineService } from 'plait';
import type { Composition, Service } from 'plait';
import { expect, onTestFinished, vi } from 'vitest';
import { logNotServed, logStop } from '../../src/cli/start-lines.ts';
import type { GatewayDefinition } from '../../src/dsl/gateway.ts';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import { neverSheds } from '../../src/edge/overload.ts';
import type { Overload } from '../../src/edge/overload.ts';
import { createGateway } from '../../src/gateway.ts';
import { listen } from '../../src/listen.ts';
import { openParts } from '../../src/parts.ts';
import { compileAll } from '../../src/plan/compile.ts';
import type { NotServed } from '../../src/plan/not-served.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Upstream } from '../support/upstream.ts';
import { partIn } from './_shop-operations.ts';
import { clientTrace } from './_traced.ts';

export interface ShopOptions {
  readonly clock: FakeClock;
  readonly telemetry: Telemetry;
  /** Of the shop; what fails is not asked again unless it says so. */
  readonly policies?: Partial<ServiceConfig>;
  /** How many addresses the shop has. Default 1. */
  readonly addresses?: number;
  /** Serves `GET /shop/:name`. Default: `partOf`. */
  readonly compose?: (shop: Service) => Composition;
  /** Default: load is never shed. */
  readonly overload?: Overload;
  readonly definition?: GatewayDefinition;
  readonly notServed?: readonly NotServed[];
  /** Beside, or instead of, `SHOP_URL`, `TOKEN_URL` at the shop, and `SECRET`. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Shop {
  readonly upstream: Upstream;
  /** One for each address; the first is `upstream`. */
  readonly upstreams: readonly Upstream[];
  /** `GET /shop/<name>`, in a trace of its own, which `00` leaves unrecorded. */
  ask(name: string, flag?: '00' | '01', init?: RequestInit): Asked;
  /** The same from another address than that of `ask`. */
  askFromElsewhere(name: string): Asked;
  /** What the management side answers at `path`. */
  tell(path: string): Promise<string>;
  /** The log so far, each line as JSON. */
  readonly lines: readonly string[];
  /** Stops the gateway, which cuts off what is under way. */
  stop(): Promise<void>;
}

export interface Asked {
  /** That of the client, which the gateway may continue. */
  readonly traceId: string;
  readonly answer: Promise<Answer>;
  leave(): void;
}

/** With all parts of a gateway in production, but for telemetry. */
export async function startTracedShop(options: ShopOptions): Promise<Shop> {
  const upstreams = await Promise.all(
    Array.from({ length: options.addresses ?? 1 }, () => startUpstream()),
  );
  const [upstream] = upstreams as [Upstream]; // there is one at least
  const { url, tell, lines, stop } = await startShopGateway(options, {
    SHOP_URL: upstreams.map((one) => one.url).join(','),
    TOKEN_URL: `${upstream.url}/token`,
    SECRET: 'secret',
  });
  onTestFinished(stop);
  return {
    upstream,
    upstreams,
    tell,
    lines,
    stop,
    ask(name, flag, init) {
      const { traceId, headers } = clientTrace(flag);
      const client = new AbortController();
      const { signal } = client;
      const answer = request(`${url}/shop/${name}`, {
        ...init,
        headers: { ...headers, ...init?.headers },
        signal,
      });
      // A client that has left does not look at its answer.
      answer.catch(() => undefined);
      return { traceId, answer, leave: () => client.abort() };
    },
    askFromElsewhere(name) {
      const { traceId, headers } = clientTrace();
      const sent = get(`${url}/shop/${name}`, { headers, localAddress: '127.0.0.2' });
      const answer = once(sent, 'response').then(([response]) => readAnswer(response));
      return { traceId, answer, leave: () => sent.destroy() };
    },
  };
}

/** As `plait start` makes it. */
async function startShopGateway(options: ShopOptions, environment: Record<string, string>) {
  const { clock, telemetry, policies, compose = partOf, definition, notServed = [] } = options;
  const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false, ...policies });
  const { plans, errors } = compileAll([{ name: 'shop', composition: compose(shop) }]);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  const settings = parseSettings(
    { NODE_ENV: 'production', ...environment, ...options.environment },
    servicesOf(plans),
    definition?.authenticators,
  );
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = createLog({ level: 'info', format: 'json', write });
  const parts = await openParts(settings, { clock, log, observer: telemetry });
  const reasons = notServed.map(({ name, reason }) => `${name}: ${reason}`);
  logNotServed(log, { plans, notServed, reasons });
  // It measures how late this test is.
  parts.overload.close();
  const gateway = createGateway({
    ...parts,
    plans,
    notServed,
    overload: options.overload ?? neverSheds,
    edge: { ...parts.edge, ...(definition && { definition }) },
  });
  let requestsCut = 0;
  const { close, url } = await listen(gateway, {
    host: '127.0.0.1',
    port: 0,
    clock,
    onRequestsCut: (count) => (requestsCut = count),
  });
  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await close({ graceMs: 0 });
    logStop(log, { requestsCut, reason: 'SIGTERM', tookMs: 0 });
  }
  return {
    url,
    lines,
    // A socket of its own would make each stop slower.
    tell: async (path: string) => (await gateway.admin.request(`http://localhost${path}`)).text(),
    stop: () => (stopped ??= stop()),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const json: unknown = JSON.parse(await text(response));
  return { status: response.statusCode ?? 0, headers: new Headers(), json };
}

/** `GET /shop/a` asks for `GET /parts/a`. */
export function partOf(shop: Service): Composition {
  const part = partIn(shop);
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
