/** Token exchange (RFC 8693), seen by clients, services and the issuer. */
import { tokenExchange } from 'plait';
import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HealthCheckConfig } from '../../src/dsl/service-policies.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { startServer } from '../support/servers.ts';
import { startKeyed } from './_keyed.ts';

type Answer = (response: ServerResponse) => void;

interface Options {
  /** How the issuer answers the request with this number for the token of this client. */
  readonly issues?: (subject: string, count: number) => Answer | undefined;
  /** Whether the service accepts a token, which is `for-anna-1` and so on. */
  readonly accepts?: (token: string) => number | true;
  readonly clock?: FakeClock;
  readonly health?: HealthCheckConfig;
}

const json =
  (status: number, value: object, headers = {}): Answer =>
  (response) =>
    void response.writeHead(status, headers).end(JSON.stringify(value));

async function start({ issues, accepts = () => true, clock, health }: Options = {}) {
  const counts = new Map<string, number>();
  const issuer = await startServer((_, response) => {
    const subject = new URLSearchParams(issuer.requests.at(-1)?.body).get('subject_token') ?? '';
    const count = (counts.get(subject) ?? 0) + 1;
    counts.set(subject, count);
    const access_token = `for-${subject}-${count}`;
    const usual = json(200, { access_token, token_type: 'Bearer', expires_in: 3_600 });
    (issues?.(subject, count) ?? usual)(response);
  });
  const answer: RequestListener = (request, response) => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const isAccepted = accepts(token);
    if (isAccepted !== true) return void response.writeHead(isAccepted).end('{}');
    const ids = new URL(request.url ?? '', 'http://x').searchParams.get('ids')?.split(',');
    const id = token.split('-')[1];
    response.end(JSON.stringify(ids?.map((one) => ({ id: one })) ?? { id }));
  };
  const auth = tokenExchange({
    tokenUrl: { env: 'TOKEN_URL' },
    clientId: 'gateway',
    clientSecret: { env: 'SECRET' },
    audience: 'shop',
  });
  const environment = { TOKEN_URL: `${issuer.url}/token`, SECRET: 'canary' };
  const keyed = await startKeyed({
    auth,
    answer,
    environment,
    ...(clock && { clock }),
    ...(health && { health }),
  });
  const askAs = async (token: string | undefined, path: string, method = 'GET') => {
    const headers: Record<string, string> =
      token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await keyed.ask(path, { method, headers });
    const challenge = response.headers.get('www-authenticate');
    return { status: response.status, challenge, json: JSON.parse(await response.text()) };
  };
  return { ...keyed, issuer, askAs };
}

describe('the token of a client', () => {
  it('is exchanged at the issuer, and never sent to the service', async () => {
    const { askAs, issuer, sent } = await start();
    expect(await askAs('anna', '/read/a')).toMatchObject({ status: 200, json: { id: 'anna' } });
    expect(await askAs('anna', '/many/a')).toMatchObject({ status: 200 });
    expect(await askAs('anna', '/write/a', 'POST')).toMatchObject({ status: 200 });
    expect(sent('authorization')).toEqual(Array(3).fill('Bearer for-anna-1'));
    expect(issuer.requests).toHaveLength(1);
    const [{ body } = { body: '' }] = issuer.requests;
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'anna',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'shop',
    });
  });

  it('is exchanged once for all calls that are made at once', async () => {
    const { askAs, issuer } = await start();
    const paths = Array.from({ length: 50 }, (_, index) => `/read/${index}`);
    const answers = await Promise.all(paths.map((path) => askAs('anna', path)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(issuer.requests).toHaveLength(1);
  });

  it.each(['/read/a', '/cached/a', '/many/a'])(
    'never shares with that of another client: %s',
    async (path) => {
      const { askAs, issuer, sent } = await start();
      const clients = Array.from({ length: 20 }, (_, index) => `client${index}`);
      const all = [...clients, ...clients];
      const answers = await Promise.all(all.map((client) => askAs(client, path)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      const expected = path === '/many/a' ? all.map(() => undefined) : all;
      expect(answers.map(({ json: got }) => got.id)).toEqual(expected);
      expect(issuer.requests).toHaveLength(20);
      expect(new Set(sent('authorization')).size).toBe(20);
    },
  );

  it('makes responses private, and has them vary', async () => {
    const { plans } = await start();
    for (const { vary, identityBearing } of plans)
      expect({ vary, identityBearing }).toEqual({ vary: ['authorization'], identityBearing: true });
  });

  it('is exchanged again before the other one ends, which empties no cache', async () => {
    const clock = createFakeClock();
    const { askAs, issuer, sent } = await start({ clock });
    await askAs('anna', '/cached/a');
    clock.advance(3_599_000);
    await askAs('anna', '/read/a');
    await askAs('anna', '/cached/a');
    expect(sent('authorization')).toEqual(['Bearer for-anna-1', 'Bearer for-anna-2']);
    expect(issuer.requests).toHaveLength(2);
  });
});

describe('a client', () => {
  it.each([
    ['without a token', {}],
    ['with a password', { authorization: 'Basic YTpi' }],
    ['with an empty token', { authorization: 'Bearer ' }],
    ['with a token that is none', { authorization: 'Bearer a b' }],
  ])('%s gets a 401 that asks for one, and nothing is asked for it', async (_, headers) => {
    const { ask, issuer, upstream } = await start();
    const response = await ask('/read/a', { headers });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.json()).toMatchObject({
      type: 'urn:plait:problem:upstream-401',
      detail: 'shop.read needs a bearer token that is accepted.',
    });
    expect([issuer.requests.length, upstream.requests.length]).toEqual([0, 0]);
  });

  it('writes the scheme as it likes', async () => {
    const { ask } = await start();
    const headers = { authorization: 'bEARER  anna' };
    expect((await ask('/read/a', { headers })).status).toBe(200);
  });

  it.each([
    [400, 'invalid_grant', 401],
    [400, 'invalid_request', 401],
    [400, 'invalid_token', 401],
    [401, 'invalid_token', 401],
    [401, 'invalid_client', 502],
    [400, 'unauthorized_client', 502],
    [400, 'unsupported_grant_type', 502],
    [400, 'invalid_scope', 502],
    [400, 'invalid_target', 502],
    [403, 'access_denied', 502],
    [400, 'canary', 502],
    [500, 'invalid_grant', 503],
    [429, 'slow_down', 503],
  ])('whose token the issuer answers with %i and %s gets a %i', async (status, error, expected) => {
    const { askAs, upstream, gateway } = await start({
      issues: () => json(status, { error, error_description: 'canary' }),
    });
    const answer = await askAs('anna', '/read/a');
    expect(answer.status).toBe(expected);
    expect(answer.challenge).toBe(expected === 401 ? 'Bearer error="invalid_token"' : null);
    expect(JSON.stringify(answer)).not.toContain('canary');
    expect(upstream.requests).toHaveLength(0);
    expect(gateway.status().upstreams[0]).toMatchObject({ breaker: 'closed' });
  });

  it.each([
    ['an empty body', ''],
    ['a page', '<html>invalid_grant</html>'],
    ['a list', '["invalid_grant"]'],
    ['no text', '{"error":7}'],
  ])('is not to blame for a 400 with %s', async (_, body) => {
    const { askAs } = await start({
      issues: () => (response) => void response.writeHead(400).end(body),
    });
    expect((await askAs('anna', '/read/a')).status).toBe(502);
  });

  it('whose token is refused is no burden for the issuer, and none for others', async () => {
    const clock = createFakeClock({ chances: [1] });
    const refused = json(400, { error: 'invalid_grant' });
    const { askAs, issuer } = await start({
      clock,
      issues: (subject) => (subject === 'eve' ? refused : undefined),
    });
    for (let count = 0; count < 20; count += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await askAs('eve', '/read/a')).status).toBe(401);
    expect(issuer.requests).toHaveLength(1);
    expect((await askAs('anna', '/read/a')).status).toBe(200);
    clock.advance(250);
    expect((await askAs('eve', '/read/a')).status).toBe(401);
    expect(issuer.requests).toHaveLength(3);
  });

  it('that is refused while its token is renewed is sent no further', async () => {
    const clock = createFakeClock();
    const { askAs, sent } = await start({
      clock,
      issues: (_, count) => (count === 1 ? undefined : json(400, { error: 'invalid_grant' })),
    });
    expect((await askAs('anna', '/read/a')).status).toBe(200);
    clock.advance(3_598_000);
    expect((await askAs('anna', '/read/a')).status).toBe(401);
    expect((await askAs('anna', '/read/a')).status).toBe(401);
    expect(sent('authorization')).toHaveLength(1);
  });
});

describe('an issuer that is down', () => {
  it('rests for all clients, while tokens that are good are used', async () => {
    const { askAs, issuer } = await start({
      issues: (subject) => (subject === 'anna' ? undefined : json(503, {}, { 'retry-after': '9' })),
    });
    expect((await askAs('anna', '/read/a')).status).toBe(200);
    for (const client of ['ben', 'cleo', 'dora'])
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await askAs(client, '/read/a')).status).toBe(503);
    expect(issuer.requests).toHaveLength(2);
    expect((await askAs('anna', '/read/b')).status).toBe(200);
  });
});

describe('a service that rejects the token for a client', () => {
  it.each([
    ['a read', '/read/a', 'GET'],
    ['a write', '/write/a', 'POST'],
    ['a batch', '/many/a', 'GET'],
  ])('is sent %s once more, with a new one', async (_, path, method) => {
    const { askAs, sent } = await start({ accepts: (token) => token !== 'for-anna-1' || 401 });
    expect((await askAs('anna', path, method)).status).toBe(200);
    expect(sent('authorization')).toEqual(['Bearer for-anna-1', 'Bearer for-anna-2']);
  });

  it('always, is a 401 for the client, and floods no issuer', async () => {
    const clock = createFakeClock();
    const { askAs, issuer } = await start({ clock, accepts: () => 401 });
    for (let count = 0; count < 10; count += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await askAs('anna', `/read/${count}`)).toMatchObject({
        status: 401,
        challenge: 'Bearer',
      });
    expect(issuer.requests).toHaveLength(2);
  });

  it('renews nothing for another client', async () => {
    const { askAs, issuer } = await start({ accepts: (token) => token !== 'for-anna-1' || 401 });
    await askAs('ben', '/read/a');
    await askAs('anna', '/read/a');
    await askAs('ben', '/read/b');
    expect(issuer.requests.map(({ body }) => /subject_token=(\w+)/.exec(body)?.[1])).toEqual([
      'ben',
      'anna',
      'anna',
    ]);
  });

  it('with 403, says it to the client', async () => {
    const { askAs, issuer } = await start({ accepts: () => 403 });
    expect((await askAs('anna', '/read/a')).status).toBe(403);
    expect(issuer.requests).toHaveLength(1);
  });
});

describe('a health check', () => {
  it('has no client, and is sent without a token', async () => {
    const clock = createFakeClock();
    const { sent, issuer } = await start({ clock, health: { path: '/health', intervalMs: 1_000 } });
    await expect
      .poll(() => {
        clock.advance(1_000);
        return sent('authorization');
      })
      .toContain(undefined);
    expect(issuer.requests).toHaveLength(0);
  });
});
