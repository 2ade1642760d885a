/** Tokens, claims and API keys of clients, each searched for in all that is written. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKey, iss, startIssuer } from '../support/issuer.ts';
import { folderWith } from '../support/folder.ts';
import { adminOf, run } from '../support/processes.ts';
import { isRedisSkipped, startRedis } from '../support/redis.ts';
import { startServer } from '../support/servers.ts';
import { startCollector } from './_collector.ts';
import { canary } from './_leaky.ts';
import { leaksIn, nowhere, stopped, toldOf } from './_production.ts';

const claims = { sub: canary('sub'), tenant: canary('tenant'), email: `${canary('email')}@x&%` };
const keyId = canary('id').slice(0, 40);
const owner = canary('owner');
const secret = canary('secret').padEnd(43, '0').slice(0, 43);
const wrongSecret = canary('wrong').padEnd(43, '0').slice(0, 43);
const unknownId = canary('nobody').slice(0, 40);
const sha256 = createHash('sha256').update(secret).digest('hex');
const ofIssuer = canary('issuer');

const authenticators = `
  import { verifyApiKeys, verifyJwt } from 'plait';
  import { z } from 'zod';
  export const customers = verifyJwt({
    issuer: '${iss}', audience: 'shop', keys: { url: { env: 'JWKS_URL' } },
    claims: z.object({ sub: z.string(), tenant: z.string(), email: z.string() }),
  });
  export const lost = verifyJwt({
    issuer: 'https://lost.example.com', audience: 'shop', keys: { url: { env: 'LOST_URL' } },
  });
  export const partners = verifyApiKeys({ env: 'API_KEYS' });`;

const gatewayFile = `
  import { defineGateway } from 'plait';
  import { customers, lost, partners } from './_who.ts';
  export default defineGateway({
    authenticators: [customers, lost, partners],
    rateLimits: { perPrincipal: { limit: 100_000, windowS: 60 } },
  });`;

/** A claim in each place of a request, cached and shared. */
const operations = {
  path: `route: 'GET /:how/of/:sub'`,
  query: `route: 'GET /:how', query: z.object({ sub: z.string() })`,
  header: `route: 'GET /:how', headers: z.object({ 'x-sub': z.string() })`,
  body: `route: 'POST /:how', body: z.object({ sub: z.string() })`,
  forward: `route: 'GET /:how', forward: ['authorization', 'x-api-key']`,
};

function compositionOf(place: keyof typeof operations): string {
  const value = 'map(identity, ({ claims }) => claims.email ?? claims.owner ?? claims.sub)';
  const args = {
    path: `sub: ${value}`,
    query: `sub: ${value}`,
    header: `headers: { 'x-sub': identity.claims.sub }`,
    body: `body: { sub: ${value} }`,
    forward: '',
  }[place];
  const cache = place === 'body' ? '' : 'cache: { ttlMs: 60_000 },';
  return `
    import { call, defineComposition, defineService, map, operation } from 'plait';
    import { z } from 'zod';
    import { customers, lost, partners } from './_who.ts';
    const service = defineService({ name: '${place}', url: { env: 'ECHO_URL' }, retry: false,
      timeoutMs: 2_000 });
    const ask = operation(service, { name: 'ask', ${operations[place]}, ${cache}
      response: z.object({ value: z.string() }) });
    export default defineComposition({
      route: '${place === 'body' ? 'POST' : 'GET'} /${place}/:how',
      auth: [customers, lost, partners],
      compose: ({ params, identity }) => call(ask, { how: params.how, ${args} }),
    });`;
}

const others = {
  'thrown.ts': `
    import { defineComposition, map } from 'plait';
    import { customers, partners } from './_who.ts';
    export default defineComposition({
      route: 'GET /thrown',
      auth: [customers, partners],
      compose: ({ identity }) => ({
        // Development shows the messages of a composition's own errors, to those who write it.
        a: map(identity, ({ claims }) => { throw new Error(
          process.env.NODE_ENV === 'production' ? 'bad ' + JSON.stringify(claims) : 'bad'); }),
      }),
    });`,
  'many.ts': `
    import { call, defineComposition, defineService, lookup } from 'plait';
    import { z } from 'zod';
    import { customers, partners } from './_who.ts';
    const service = defineService({ name: 'many', url: { env: 'ECHO_URL' }, retry: false });
    const ofMany = lookup(service, { name: 'ofMany', route: 'GET /echo-302', by: 'sub',
      keys: { query: 'subs' }, item: z.object({ sub: z.string() }), cache: { ttlMs: 60_000 } });
    export default defineComposition({
      route: 'GET /many',
      auth: [customers, partners],
      compose: ({ identity }) => ({ a: call(ofMany, { sub: identity.claims.sub }) }),
    });`,
  'forbidden.ts': `
    import { defineComposition } from 'plait';
    import { customers, partners } from './_who.ts';
    export default defineComposition({
      route: 'GET /forbidden',
      auth: [customers, partners],
      scopes: { all: ['other'] },
      compose: () => ({ a: 1 }),
    });`,
};

const hows = ['ok', 'echo-500', 'echo-404', 'echo-422', 'echo-401', 'echo-302', 'reset', 'wrong'];

/** Says in failures whatever it was sent. */
async function startEcho() {
  const service = await startServer((request, response) => {
    const said = JSON.stringify(service.requests.at(-1));
    const [, how = ''] = new URL(request.url ?? '', 'http://x').pathname.split('/');
    const status = Number(/echo-(\d+)/.exec(how)?.[1]);
    if (how === 'ok') response.end('{"value":"fine"}');
    else if (how === 'wrong') response.end(JSON.stringify({ value: [said] }));
    else if (how === 'reset') request.socket.destroy();
    else {
      const told = { location: `/${encodeURIComponent(said)}`, 'www-authenticate': said };
      response.writeHead(status, told).end(said);
    }
  });
  return service;
}

/** Every form in which a word could be shown. */
function formsOf(name: string, word: string): (readonly [string, string])[] {
  return [
    [name, word.slice(0, 24)],
    [`${name} percent-encoded`, encodeURIComponent(word).slice(0, 30)],
    [`${name} in base64`, Buffer.from(word).toString('base64').slice(0, 24)],
  ];
}

describe.skipIf(isRedisSkipped)('who a client is', () => {
  it.each([
    // In development, the log has the causes of errors.
    { NODE_ENV: 'development' },
    { NODE_ENV: 'production', OTEL_TRACES_SAMPLER: 'always_on', SHUTDOWN_DELAY_MS: '0' },
  ])('is in nothing that is written, stored or answered: %j', async (mode) => {
    const [key, other] = await Promise.all([createKey('one'), createKey('one')]);
    const issuer = await startIssuer(key);
    const lost = await startIssuer();
    lost.answer = (response) => void response.writeHead(500).end(ofIssuer);
    const [service, collector, redis] = await Promise.all([
      startEcho(),
      startCollector(),
      startRedis(),
    ]);
    const places = Object.keys(operations) as (keyof typeof operations)[];
    const folder = await folderWith({
      ...others,
      ...Object.fromEntries(places.map((place) => [`${place}.ts`, compositionOf(place)])),
      '_who.ts': authenticators,
      'gateway.ts': gatewayFile,
      'order-summary.ts': 'export {};',
      'customer-orders.ts': 'export {};',
      'order-tracking.ts': 'export {};',
      'customer-dashboard.ts': 'export {};',
      'order-cancellation.ts': 'export {};',
    });
    const environment = {
      ...nowhere,
      ...mode,
      JWKS_URL: issuer.url,
      LOST_URL: lost.url,
      API_KEYS: JSON.stringify({ keys: [{ id: keyId, sha256, owner }] }),
      ECHO_URL: service.url,
      REDIS_URL: redis.url,
      PORT: '0',
      ADMIN_PORT: '0',
      HOST: '127.0.0.1',
      // All requests are sent at once, and each has to reach the services.
      REQUESTS_PER_ADDRESS: 'off',
      LOG_LEVEL: 'trace',
      SERVER_TIMING: 'on',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    const options = ['--compositions', folder];
    const gateway = run('bin/plait.js', ['start', ...options], environment);
    const url = await gateway.ready;
    const admin = adminOf(gateway);

    const exp = Math.floor(Date.now() / 1_000) + 600;
    const good = await key.sign({ ...claims, exp });
    const bad = await Promise.all([
      key.sign({ ...claims, exp: exp - 6_000 }),
      key.sign({ ...claims, exp, email: 7 }),
      key.sign({ ...claims, exp, aud: canary('audience') }),
      key.sign({ ...claims, exp, iss: 'https://lost.example.com' }),
      other.sign({ ...claims, exp }),
      key.sign({ ...claims, exp }, { kid: canary('kid') }),
      key.sign({ ...claims, exp }, { typ: canary('typ') }),
    ]);
    const bearers = [good, ...bad, `${good}x`, canary('opaque')];
    const apiKeys = [`${keyId}.${secret}`, `${keyId}.${wrongSecret}`, `${unknownId}.${secret}`];
    const callers: Record<string, string>[] = [
      ...bearers.map((token) => ({ authorization: `Bearer ${token}` })),
      ...apiKeys.map((one) => ({ 'x-api-key': one })),
    ];
    const paths = [
      ...places.flatMap((place) => hows.map((how) => `/${place}/${how}`)),
      '/thrown',
      '/many',
      '/forbidden',
      '/nothing',
    ];
    const answers = await Promise.all(
      callers.flatMap((headers) =>
        paths.map(async (path) => {
          const method = path.startsWith('/body/') ? 'POST' : 'GET';
          const response = await fetch(url + path, { method, headers });
          const said = JSON.stringify([...response.headers]) + (await response.text());
          return { status: response.status, said };
        }),
      ),
    );
    const storedNames = () => redis.ask('KEYS *');
    const { keys, sinks: told } = await toldOf({ admin, redis, storedNames, options, environment });
    const log = await stopped(gateway);
    const sinks = {
      log,
      spans: collector.received().toString('latin1'),
      answers: answers.map((one) => one.said).join('\n'),
      ...told,
    };
    const words = [
      ...Object.entries(claims),
      ...bearers.flatMap((token, index) =>
        token.split('.').map((part, which) => [`part ${which} of token ${index}`, part] as const),
      ),
      ['id of the key', keyId],
      ['owner of the key', owner],
      ['secret', secret],
      ['wrong secret', wrongSecret],
      ['unknown id', unknownId],
      ['hash of the secret', sha256],
      ['answer of the issuer', ofIssuer],
    ].flatMap(([name = '', word = '']) => formsOf(name, word));
    expect(leaksIn(sinks, words)).toEqual([]);

    // All of it was there to be told.
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([
      200, 401, 403, 404, 422, 500, 502, 503,
    ]);
    const received = JSON.stringify(service.requests);
    for (const word of [claims.sub, good, keyId, secret]) expect(received).toContain(word);
    expect(keys.some((name) => name.includes('limit'))).toBe(true);
    expect(sinks.commands).toContain('API key of env API_KEYS');
  });
});
