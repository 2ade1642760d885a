import { describe, expect, it, onTestFinished } from 'vitest';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { listen } from '../../../src/listen.ts';
import { createKey, customersOf, startIssuer, startProtected } from '../../support/issuer.ts';
import { raw } from '../../support/raw-http.ts';

/** A composition for customers, and a wider one for everybody. */
async function start() {
  const customers = customersOf(await startIssuer(await createKey('one')));
  const { gateway } = startProtected({
    authenticators: [customers],
    basePath: '/api',
    compositions: {
      mine: defineComposition({
        route: 'GET /me/orders',
        auth: customers,
        cache: { maxAge: 60 },
        compose: () => ({ secret: 'canary' }),
      }),
      root: defineComposition({
        route: 'GET /',
        auth: customers,
        compose: () => ({ secret: 'canary' }),
      }),
      wide: defineComposition({
        route: 'GET /:who/:what',
        auth: 'none',
        compose: ({ params }) => ({ who: params.who }),
      }),
    },
  });
  const listening = await listen(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.close({ graceMs: 0 }));
  return listening.url;
}

describe('a client without credentials', () => {
  it.each([
    ['GET /api/me/orders', 401],
    ['HEAD /api/me/orders', 401],
    ['GET /api/me/orders?', 401],
    ['GET http://gateway/api/me/orders', 401],
    ['GET https://other:1/api/me/orders', 401],
    ['GET /api/me/./orders', 401],
    ['GET /api/x/../me/orders', 401],
    ['GET /api/%6de/orders', 401],
    ['GET /api', 401],
    ['GET /api/', 401],
    ['HEAD /api', 401],
    ['GET /api/me/orders/', 404],
    ['GET /api/ME/orders', 200],
    ['GET /me/orders', 404],
    ['GET /api/me%2forders', 404],
    ['GET /api/me/orders;x', 200],
    ['GET /api//me/orders', 400],
    ['GET /api/me%5corders', 400],
    ['GET /api/me/orders%00', 400],
    ['GET http://me@gateway/api/me/orders', 400],
    ['POST /api/me/orders', 405],
    ['get /api/me/orders', 400],
  ])('does not come in by %s', async (line, status) => {
    const more = 'x-http-method-override: GET\r\nx-original-url: /livez\r\nif-none-match: *\r\n';
    const answer = await raw(
      await start(),
      `${line} HTTP/1.1\r\nhost: gateway\r\n${more}connection: close\r\n\r\n`,
    );
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer)).not.toContain('canary');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers).not.toHaveProperty('etag');
  });
});
