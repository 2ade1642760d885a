import { clientCredentials } from 'plait';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../src/clock.ts';
import { systemClock } from '../../../src/clock.ts';
import { createTokenRequest } from '../../../src/upstream/credentials/token-request.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { startServer, startSocketServer } from '../../support/servers.ts';

const asText = (text: string) => ({ text: () => text, lookAgain: async () => undefined });

function requestTo(
  url: string,
  own: Partial<Parameters<typeof clientCredentials>[0]> = {},
  clock: Clock = systemClock,
) {
  const auth = clientCredentials({
    tokenUrl: url,
    clientId: 'me',
    clientSecret: { env: 'SECRET' },
    ...own,
  });
  const texts = { id: asText('m&e:'), secret: asText('se cret+ü') };
  const request = createTokenRequest({ auth, url: new URL(url), ...texts, clock });
  onTestFinished(() => request.close());
  return request;
}

const token = { access_token: 'abc.DEF-1_2~3+/==', token_type: 'Bearer', expires_in: 60 };
const json =
  (value: unknown, status = 200, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(JSON.stringify(value));

async function askOf(answer: (response: ServerResponse) => void) {
  const issuer = await startServer((_, response) => answer(response));
  const request = requestTo(`${issuer.url}/oauth/token?tenant=1`);
  const asked = await request.ask().catch((error: unknown) => error);
  return { asked, issuer };
}

describe('the request for a token', () => {
  it('carries id and secret form-encoded in Basic, and the grant in the body', async () => {
    const { asked, issuer } = await askOf(json(token));
    expect(asked).toEqual({ token: token.access_token, livesMs: 60_000 });
    const [{ method, target, headers, body } = { headers: {} }] = issuer.requests;
    expect([method, target]).toEqual(['POST', '/oauth/token?tenant=1']);
    expect(headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from('m%26e%3A:se+cret%2B%C3%BC').toString('base64')}`,
    });
    expect(body).toBe('grant_type=client_credentials');
  });

  it('carries them in the body where the issuer wants that, with scope and audience', async () => {
    const issuer = await startServer((_, response) => json(token)(response));
    const own = { sends: 'body', scope: 'a b', audience: 'https://x' } as const;
    await requestTo(`${issuer.url}/token`, own).ask();
    const [{ headers, body } = { headers: {}, body: '' }] = issuer.requests;
    expect(headers).not.toHaveProperty('authorization');
    expect(body).toBe(
      'grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fx&' +
        'client_id=m%26e%3A&client_secret=se+cret%2B%C3%BC',
    );
  });
});

describe('the life of a token', () => {
  it.each([
    [60, 60_000],
    ['3600', 3_600_000],
    [undefined, undefined],
    [null, undefined],
    [0, undefined],
    [-1, undefined],
    ['soon', undefined],
    [1e9, 86_400_000],
  ])('with expires_in %j is %j ms', async (expires_in, livesMs) => {
    const { asked } = await askOf(json({ ...token, expires_in }));
    expect(asked).toEqual({ token: token.access_token, livesMs });
  });
});

describe('an answer that is no token', () => {
  const canary = 'canary';
  it.each([
    ['nothing', (response: ServerResponse) => void response.end()],
    ['no JSON', (response: ServerResponse) => void response.end(canary)],
    ['half a JSON', (response: ServerResponse) => void response.end(`{"access_token": "${canary}`)],
    ['null', json(null)],
    ['a list', json([token])],
    ['no access_token', json({ token_type: 'bearer', [canary]: 1 })],
    ['an empty access_token', json({ ...token, access_token: '' })],
    ['an access_token with a line break', json({ ...token, access_token: 'a\r\nx-b: c' })],
    ['an access_token with a space', json({ ...token, access_token: `${canary} b` })],
    ['an access_token that is a number', json({ ...token, access_token: 7 })],
    ['another token_type', json({ ...token, token_type: 'mac' })],
    ['no token_type', json({ access_token: canary })],
    ['more than 64 KiB', json({ ...token, more: canary.repeat(12_000) })],
    ['a 204', (response: ServerResponse) => void response.writeHead(204).end()],
    ['a redirect', json(token, 307, { location: `http://127.0.0.1/${canary}` })],
    ['invalid_client', json({ error: 'invalid_client', error_description: canary }, 401)],
    ['invalid_scope', json({ error: 'invalid_scope', error_description: canary }, 400)],
  ])('is our configuration: %s', async (_, answer) => {
    const { asked, issuer } = await askOf(answer);
    expect(asked).toMatchObject({ name: 'TokenError', isMisconfigured: true });
    expect(String(asked)).toContain(`no token from ${issuer.url}/oauth/token: `);
    expect(String(asked)).not.toMatch(/canary|tenant|secret/);
    expect(issuer.requests).toHaveLength(1);
  });
});

describe('an issuer that is down', () => {
  it.each([500, 502, 503, 429, 408])(
    'by %i is the issuer’s, with its Retry-After',
    async (status) => {
      const { asked } = await askOf(json({}, status, { 'retry-after': '9' }));
      expect(asked).toMatchObject({ isMisconfigured: false, retryAfterSeconds: 9 });
      expect(String(asked)).toContain(`answered ${status}`);
    },
  );

  it('by a broken connection is the issuer’s', async () => {
    const issuer = await startSocketServer((socket) => void socket.destroy());
    await expect(requestTo(`${issuer.url}/t`).ask()).rejects.toMatchObject({
      message: `no token from ${issuer.url}/t: broken connection`,
      isMisconfigured: false,
    });
  });

  it('by no connection is the issuer’s', async () => {
    await expect(requestTo('http://127.0.0.1:9/t').ask()).rejects.toMatchObject({
      message: 'no token from http://127.0.0.1:9/t: no connection',
      isMisconfigured: false,
    });
  });

  it('by silence is given up after timeoutMs, and its connection closed', async () => {
    const clock = createFakeClock();
    const issuer = await startServer(() => undefined);
    const asked = requestTo(`${issuer.url}/t`, { timeoutMs: 700 }, clock)
      .ask()
      .catch((error: unknown) => error);
    await expect.poll(() => issuer.requests.length).toBe(1);
    clock.advance(700);
    expect(await asked).toMatchObject({
      message: `no token from ${issuer.url}/t: did not answer within 700 ms`,
      isMisconfigured: false,
    });
    await issuer.allClosed();
  });
});
