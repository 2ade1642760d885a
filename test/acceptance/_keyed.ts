/** A gateway with one service that is sent credentials or headers of the gateway's own. */
import { call, defineComposition, defineService, lookup, operation } from 'plait';
import type { Auth, Composition } from 'plait';
import type { RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Clock } from '../../src/clock.ts';
import type { OwnHeaders } from '../../src/dsl/own-headers.ts';
import type { HealthCheckConfig } from '../../src/dsl/service-policies.ts';
import type { Service } from '../../src/dsl/service.ts';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-options.ts';
import { openParts } from '../../src/parts.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { startServer } from '../support/servers.ts';

export interface KeyedOptions {
  readonly auth?: Auth;
  readonly headers?: OwnHeaders;
  readonly forward?: readonly string[];
  readonly requestId?: string | false;
  readonly health?: HealthCheckConfig;
  readonly environment?: Readonly<Record<string, string>>;
  readonly answer?: RequestListener;
  readonly clock?: Clock;
  readonly more?: Partial<GatewayOptions>;
}

const value: RequestListener = (request, response) => {
  const ids = new URL(request.url ?? '', 'http://x').searchParams.get('ids')?.split(',');
  response.end(JSON.stringify(ids?.map((id) => ({ id })) ?? { id: 'a' }));
};

const Item = z.object({ id: z.string() });

/** The compositions, by the ways in which a service is called. */
function compositionsOf(service: Service): Record<string, Composition> {
  const read = operation(service, { name: 'read', route: 'GET /things/:id', response: Item });
  const cached = operation(service, {
    name: 'cached',
    route: 'GET /cached/:id',
    response: Item,
    cache: { ttlMs: 3_600_000 },
  });
  const write = operation(service, {
    name: 'write',
    route: 'POST /things',
    body: Item,
    response: Item,
  });
  const many = lookup(service, {
    name: 'many',
    route: 'GET /many',
    keys: { query: 'ids' },
    by: 'id',
    item: Item,
  });
  const withId = (route: `GET /${string}/:id` | `POST /${string}/:id`, of: typeof read) =>
    defineComposition({ route, compose: ({ params }) => call(of, { id: params.id }) });
  return {
    read: withId('GET /read/:id', read),
    cached: withId('GET /cached/:id', cached),
    write: defineComposition({
      route: 'POST /write/:id',
      compose: ({ params }) => call(write, { body: { id: params.id } }),
    }),
    many: defineComposition({
      route: 'GET /many/:id',
      compose: ({ params }) => ({
        one: call(many, { id: params.id }),
        other: call(many, { id: 'b' }),
      }),
    }),
  };
}

export async function startKeyed(options: KeyedOptions) {
  const { environment = {}, answer = value, clock, more, ...sent } = options;
  const upstream = await startServer(answer);
  const service = defineService({ name: 'shop', url: { env: 'SHOP_URL' }, retry: false, ...sent });
  const { plans } = compileAll(
    Object.entries(compositionsOf(service)).map(([name, composition]) => ({ name, composition })),
  );
  const settings = parseSettings(
    { SHOP_URL: upstream.url, LOG_LEVEL: 'error', ...environment },
    servicesOf(plans),
  );
  const { log, ...parts } = await openParts(settings, { clock });
  const gateway = createGateway({ plans, ...parts, ...more });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await log.close();
  });
  return {
    upstream,
    gateway,
    plans,
    ask: (path: string, init?: RequestInit) => gateway.app.request(path, init),
    /** The value of a header in each request so far. */
    sent: (name: string) => upstream.requests.map(({ headers }) => headers[name]),
  };
}
