import { apiKey, clientCredentials, defineService, tokenExchange } from 'plait';
import type { Auth } from 'plait';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../src/settings/settings.ts';
import { plainTextWarnings } from '../../src/settings/sources.ts';

const key = apiKey({ env: 'KEY' }, { header: 'x-key' });
const client = clientCredentials({
  tokenUrl: { env: 'TOKEN_URL' },
  clientId: 'me',
  clientSecret: { env: 'KEY' },
});

const exchange = tokenExchange({
  tokenUrl: { env: 'TOKEN_URL' },
  clientId: 'me',
  clientSecret: { env: 'KEY' },
});

function warningsOf(url: string, auth?: Auth, tokenUrl = 'https://id/token'): readonly string[] {
  const services = [defineService({ name: 'shop', url, ...(auth && { auth }) })];
  const environment = { KEY: 'canary', TOKEN_URL: tokenUrl };
  return plainTextWarnings(services, parseSettings(environment, services));
}

const warning = (to: string) =>
  `service "shop": its credentials go to ${to} without TLS. Use https.`;

describe('credentials without TLS', () => {
  it.each([
    ['http://shop:81/x', key, undefined, ['http://shop:81']],
    ['https://a,http://b', key, undefined, ['http://b']],
    ['http://127.example.com', key, undefined, ['http://127.example.com']],
    ['https://shop', client, 'http://id/token?tenant=1', ['http://id']],
    ['http://shop', client, 'http://id/token', ['http://shop', 'http://id']],
    ['http://shop', exchange, 'http://id/token', ['http://shop', 'http://id']],
  ])('are warned of: %s', (url, auth, tokenUrl, shown) => {
    expect(warningsOf(url, auth, tokenUrl)).toEqual(shown.map(warning));
  });

  it.each([
    ['http://shop', undefined],
    ['https://shop', key],
    ['https://shop', client],
    ['http://127.0.0.1:4001', key],
    ['http://localhost', key],
    ['http://[::1]:81', key],
  ])('are not warned of where there is no network, or nothing to see: %s', (url, auth) => {
    expect(warningsOf(url, auth)).toEqual([]);
  });
});
