/** The operator learns which limit refused a request: from its span and from its log line. */
import { call, defineComposition, defineGateway, defineService } from 'plait';
import type { RouteRateLimit } from '../../src/dsl/rate-limit.ts';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import { describe, expect, it, vi } from 'vitest';
import type { EdgeOptions } from '../../src/edge/layers.ts';
import { neverSheds } from '../../src/edge/overload.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import type { WithMocksOptions } from '../support/gateway-with-mocks.ts';
import { startUpstream } from '../support/upstream.ts';
import { startTraced } from './_traced.ts';
import { partIn } from './_shop-operations.ts';

const { telemetry, sink } = await startTraced();
const once = { limit: 1, windowS: 60 };

interface Start {
  readonly policies?: Partial<ServiceConfig>;
  readonly rateLimit?: RouteRateLimit;
  readonly gateway?: Partial<WithMocksOptions>;
}

async function start({ policies = {}, rateLimit, gateway }: Start) {
  const upstream = await startUpstream();
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const log = createLog({ level: 'info', format: 'json', write });
  const shop = defineService({
    name: 'shop',
    url: { env: 'UPSTREAM_URL' },
    retry: false,
    breaker: false,
    ...policies,
  });
  const part = partIn(shop);
  const page = defineComposition({
    route: 'GET /page/:name',
    ...(rateLimit && { rateLimit }),
    compose: ({ params }) => ({ part: call(part, { name: params.name }) }),
  });
  const { get } = await startWithMocks({
    compositions: { page },
    environment: { UPSTREAM_URL: upstream.url },
    telemetry,
    accessLog: { log, headers: [], withCauses: false },
    ...gateway,
  });
  /** The id of the request by that name: spans of all tests are in one sink. */
  const idOf = (name: string): string => `${name}-${upstream.url.replaceAll(/\W+/g, '-')}`;
  const ask = (name: string) =>
    get(`/page/${name}`, { headers: { 'x-request-id': idOf(name) } }).then(({ status }) => status);
  return { ask, upstream, lines, refused: idOf('refused') };
}

interface Line {
  readonly request_id: string;
  readonly limit?: string;
  readonly service?: string;
}

type Started = Awaited<ReturnType<typeof start>>;

/** Answers the first request, and asks again. */
async function askTwice({ ask, upstream }: Started): Promise<void> {
  const first = ask('first');
  await upstream.answer('GET /parts/first', { value: 'A' });
  expect([await first, await ask('refused')]).toEqual([200, 429]);
}

/** Asks while another request is under way. */
async function askBeside({ ask, upstream }: Started): Promise<void> {
  const first = ask('first');
  await vi.waitUntil(() => upstream.waiting() === 1);
  expect(await ask('refused')).toBe(503);
  upstream.answerAll(() => ({ value: 'A' }));
  await first;
}

const edgeOf = (edge: EdgeOptions) => ({ gateway: { edge } });
const ofAll = (rateLimits: object) => edgeOf({ definition: defineGateway({ rateLimits }) });

const rows: Record<string, [options: Start, provoke: (started: Started) => Promise<void>]> = {
  'rateLimits.perAddress': [ofAll({ perAddress: once }), askTwice],
  'rateLimits.perPrincipal': [ofAll({ perPrincipal: once }), askTwice],
  rateLimit: [{ rateLimit: once }, askTwice],
  REQUESTS_PER_ADDRESS: [edgeOf({ requestsPerAddress: 1, requests: 9 }), askBeside],
  REQUESTS_IN_PROGRESS: [edgeOf({ requestsPerAddress: 9, requests: 1 }), askBeside],
  SHED_DELAY_MS: [
    { gateway: { overload: { ...neverSheds, retryAfterSeconds: () => 1 } } },
    async ({ ask }) => expect(await ask('refused')).toBe(503),
  ],
  bulkhead: [{ policies: { bulkhead: { concurrency: 1, queue: 0 } } }, askBeside],
  breaker: [
    { policies: { breaker: { volume: 2 } } },
    async ({ ask, upstream }) => {
      for (const name of ['first', 'second']) {
        const asked = ask(name);
        await upstream.answer(`GET /parts/${name}`, {}, 500);
        expect(await asked).toBe(502);
      }
      expect(await ask('refused')).toBe(503);
    },
  ],
};

const ofServices = new Set(['bulkhead', 'breaker']);

describe('a refused request says which limit it was, as it is declared', () => {
  it.each(Object.entries(rows))('%s', async (limit, [options, provoke]) => {
    const started = await start(options);
    await provoke(started);
    const service = ofServices.has(limit) ? 'shop' : undefined;
    const line = started.lines.find((one) => one.request_id === started.refused);
    expect([line?.limit, line?.service]).toEqual([limit, service]);
    await vi.waitFor(() => {
      const root = sink.spans.find(
        ({ attributes }) => attributes['plait.request_id'] === started.refused,
      );
      expect(root).toBeDefined();
      const { 'plait.limit': named, 'plait.service': of } = root?.attributes ?? {};
      expect([named, of]).toEqual([limit, service]);
    });
  });

  it('and one that was served names none', async () => {
    const { ask, upstream, lines } = await start({ rateLimit: once });
    const asked = ask('served');
    await upstream.answer('GET /parts/served', { value: 'A' });
    await asked;
    expect(lines[0]).not.toHaveProperty('limit');
  });
});
