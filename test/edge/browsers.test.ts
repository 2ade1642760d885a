import { describe, expect, it } from 'vitest';
import { defineComposition } from '../../src/dsl/composition.ts';
import { answer } from '../../src/dsl/answer.ts';
import { defineGateway } from '../../src/dsl/gateway.ts';
import type { GatewayConfig } from '../../src/dsl/gateway.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { raw } from '../support/raw-http.ts';

const compositions = {
  plain: defineComposition({ route: 'GET /plain', compose: () => ({ plain: true }) }),
  framed: defineComposition({
    route: 'GET /framed',
    compose: () => answer({ framed: true }, { headers: { 'x-frame-options': 'SAMEORIGIN' } }),
  }),
};
const app = 'https://app.example.com';
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

async function start(config: GatewayConfig, { isDevelopment = false } = {}) {
  const edge = { definition: defineGateway(config), isDevelopment };
  const gateway = await startWithMocks({ compositions, edge });
  return async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const answered = await gateway.get(path, { method, headers });
    return { ...answered, header: (name: string) => answered.headers.get(name) };
  };
}

describe('a page of another origin', () => {
  it.each([
    ['/plain', 200],
    ['/nothing', 404],
    ['/%zz', 400],
  ])('may read %s, whose status is %i, where its origin is allowed', async (path, status) => {
    const ask = await start({ cors: { origins: [app] } });
    const answered = await ask(path, { origin: app });
    expect([answered.status, answered.header('access-control-allow-origin')]).toEqual([
      status,
      app,
    ]);
    expect(answered.header('vary')).toContain('Origin');
    expect(answered.header('access-control-expose-headers')).toContain('Plait-Degraded');
    expect(answered.header('access-control-allow-credentials')).toBeNull();
  });

  it.each(['https://app.example.com.evil.example', 'http://app.example.com', 'null', ''])(
    'may not read an answer from %j, which is not allowed',
    async (origin) => {
      const ask = await start({ cors: { origins: [app] } });
      const answered = await ask('/plain', { origin });
      expect([answered.status, answered.header('access-control-allow-origin')]).toEqual([
        200,
        null,
      ]);
    },
  );

  it('is told before it sends what it may send', async () => {
    const ask = await start({ cors: { origins: [app], credentials: true, maxAgeS: 60 } });
    const answered = await ask(
      '/plain',
      {
        origin: app,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-tenant',
      },
      'OPTIONS',
    );
    expect(answered.status).toBe(204);
    expect(answered.header('access-control-allow-origin')).toBe(app);
    expect(answered.header('access-control-allow-headers')).toBe('x-tenant');
    expect(answered.header('access-control-allow-credentials')).toBe('true');
    expect(answered.header('access-control-max-age')).toBe('60');
  });

  it('of this machine may read answers in development, and in production not', async () => {
    const [development, production] = [await start({}, { isDevelopment: true }), await start({})];
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'https://[::1]']) {
      const headers = { origin };
      expect((await development('/plain', headers)).header('access-control-allow-origin')).toBe(
        origin,
      );
      expect((await production('/plain', headers)).header('access-control-allow-origin')).toBe(
        null,
      );
    }
    const other = await development('/plain', { origin: 'http://localhost.evil.example' });
    expect(other.header('access-control-allow-origin')).toBeNull();
  });

  it('may be any where all are allowed, and caches need not tell them apart', async () => {
    const ask = await start({ cors: { origins: '*' } });
    const answered = await ask('/plain', { origin: app });
    expect(answered.header('access-control-allow-origin')).toBe('*');
    expect(answered.header('vary') ?? '').not.toContain('Origin');
  });

  it('is one more thing that an answer varies by', async () => {
    const ask = await start({
      cors: { origins: [app] },
      middleware: [
        () => Promise.resolve(new Response('{}', { headers: { Vary: 'Accept-Language' } })),
      ],
    });
    for (const headers of [{ origin: app }, {}]) {
      const names = (await ask('/plain', headers)).header('vary')?.split(/, */).toSorted();
      expect(names).toEqual(['Accept-Language', 'Origin']);
    }
  });

  it('is known to caches from answers to others, too', async () => {
    const ask = await start({ cors: { origins: [app] } });
    const answered = await ask('/plain');
    expect([answered.header('vary'), answered.header('access-control-allow-origin')]).toEqual([
      'Origin',
      null,
    ]);
  });
});

describe('a preflight', () => {
  const fields = `origin: ${app}\r\naccess-control-request-method: GET\r\n`;

  it.each([
    ['for two hosts', `OPTIONS /plain HTTP/1.1\r\nhost: a\r\nhost: b\r\n${fields}\r\n`, 400],
    [
      'in chunks of HTTP/1.0',
      `OPTIONS /plain HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n${fields}\r\n0\r\n\r\n`,
      400,
    ],
    ['for //', `OPTIONS //plain HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${fields}\r\n`, 400],
    ['with a demand', `OPTIONS /plain HTTP/1.1\r\nhost: a\r\nexpect: x\r\n${fields}\r\n`, 417],
    ['of HTTP/1.2', `OPTIONS /plain HTTP/1.2\r\nhost: a\r\n${fields}\r\n`, 505],
    ['for another host', `OPTIONS /plain HTTP/1.0\r\nhost: b\r\n${fields}\r\n`, 421],
  ])('%s is refused as any other request is', async (_what, sent, status) => {
    const definition = defineGateway({ cors: { origins: [app] } });
    const { url } = await startWithMocks({
      compositions,
      edge: { definition, allowedHosts: ['a'] },
    });
    const refused = await raw(url, sent);
    expect([refused.status, refused.headers['content-type']]).toEqual([
      status,
      'application/problem+json',
    ]);
  });

  it('names its method; any other OPTIONS of a page is answered as without CORS', async () => {
    const ask = await start({ cors: { origins: [app] } });
    const answered = await ask('/plain', { origin: app }, 'OPTIONS');
    expect([answered.status, answered.header('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(answered.header('access-control-allow-origin')).toBe(app);
  });

  it('is answered once for each header that it varies by', async () => {
    const ask = await start({ cors: { origins: [app] } });
    const asked = { 'access-control-request-method': 'GET', origin: app };
    const headers = { ...asked, 'access-control-request-headers': 'x-tenant' };
    const answered = await ask('/plain', headers, 'OPTIONS');
    expect(answered.header('vary')).toBe('Origin, Access-Control-Request-Headers');
  });
});

describe('security headers', () => {
  it.each(['/plain', '/nothing', '/%zz', '/livez'])('are on the answer to %s', async (path) => {
    const ask = await start({});
    const { headers } = await ask(path);
    expect(Object.fromEntries(headers)).toMatchObject(securityHeaders);
    // Only over TLS may browsers be told to keep to it (RFC 6797, 7.2).
    expect(headers.has('strict-transport-security')).toBe(false);
  });

  it('do not replace what a composition has set', async () => {
    const ask = await start({});
    expect((await ask('/framed')).header('x-frame-options')).toBe('SAMEORIGIN');
  });

  it.each<readonly [string, () => Response]>([
    ['in capitals', () => new Response('{}', { headers: { 'X-Frame-Options': 'SAMEORIGIN' } })],
    ['of a list', () => new Response('{}', { headers: [['X-Frame-Options', 'SAMEORIGIN']] })],
    [
      'of an answer in parts',
      () =>
        new Response(new Blob(['{}']).stream(), { headers: { 'x-frame-options': 'SAMEORIGIN' } }),
    ],
  ])('do not replace what middleware has set, with names %s', async (_, respond) => {
    const ask = await start({ middleware: [() => Promise.resolve(respond())] });
    const answered = await ask('/plain');
    expect(answered.header('x-frame-options')).toBe('SAMEORIGIN');
    expect(answered.header('referrer-policy')).toBe('no-referrer');
  });

  it('stand beside what middleware sets on the answer of Node', async () => {
    const ask = await start({
      middleware: [
        (c, next) => {
          c.env.outgoing.setHeader('x-mine', 'yes');
          return next();
        },
      ],
    });
    const answered = await ask('/plain');
    expect(answered.header('x-mine')).toBe('yes');
    expect(answered.header('referrer-policy')).toBe('no-referrer');
  });

  it('let pages of allowed origins use answers', async () => {
    const ask = await start({ cors: { origins: [app] } });
    expect((await ask('/plain')).header('cross-origin-resource-policy')).toBe('cross-origin');
  });

  it('can be left to others', async () => {
    const ask = await start({ securityHeaders: false });
    expect((await ask('/plain')).header('referrer-policy')).toBeNull();
  });
});

describe('middleware of the gateway', () => {
  it('stands around compositions', async () => {
    const ask = await start({
      middleware: [
        async (c, next) => {
          await next();
          c.res.headers.set('x-mine', 'yes');
        },
      ],
    });
    expect((await ask('/plain')).header('x-mine')).toBe('yes');
  });
});

describe('defineGateway', () => {
  it.each<readonly [unknown, string]>([
    [
      { cor: {} },
      'unknown option "cor". Known options: cors, securityHeaders, middleware, rateLimits, ' +
        'authenticators.',
    ],
    [undefined, 'its options are undefined. Write { cors: … }.'],
    [
      { cors: { origin: app } },
      'unknown option "origin" in cors. Known options: origins, credentials, maxAgeS.',
    ],
    [
      { cors: { origins: ['app.example.com'] } },
      'cors.origins has "app.example.com", which is not an origin.',
    ],
    [
      { cors: { origins: ['https://app.example.com/'] } },
      'cors.origins has "https://app.example.com/"',
    ],
    [{ cors: { origins: ['https://*.example.com'] } }, 'cors.origins has "https://*.example.com"'],
    [{ cors: { origins: app } }, `cors.origins has "${app}"`],
    [{ cors: { origins: '*', credentials: true } }, 'would let every page act as its visitor'],
    [
      { cors: { origins: [app], maxAgeS: -1 } },
      'cors.maxAgeS is -1. Use a whole number of at least 0.',
    ],
    [{ securityHeaders: 'no' }, 'securityHeaders is "no". Use true or false.'],
    [
      { rateLimits: { perAdress: {} } },
      'unknown option "perAdress" in rateLimits. Known options: perAddress, perPrincipal.',
    ],
    [
      { rateLimits: { perAddress: { limit: 5 } } },
      'rateLimits.perAddress has no windowS. Write { limit: 100, windowS: 60 } for 100 requests a minute.',
    ],
    [{ rateLimits: { perAddress: 100 } }, 'rateLimits.perAddress is 100. Write { limit: … }.'],
    [
      { rateLimits: { perPrincipal: { limit: 0, windowS: 1 } } },
      'rateLimits.perPrincipal.limit is 0. Use a whole number of at least 1.',
    ],
    [
      { rateLimits: { perPrincipal: { limit: 1, windowS: 1e7 } } },
      'rateLimits.perPrincipal.windowS is 10000000. Use a whole number of at most 2678400.',
    ],
    [{ middleware: {} }, 'middleware is not a list of functions. Use Hono middleware.'],
  ])('refuses %j', (config, message) => {
    expect(() => defineGateway(config as GatewayConfig)).toThrow(message);
  });
});
