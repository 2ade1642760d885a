/** Whether a 401 to a client that sent no credentials asks that client for some. */
import { bearer, defineService, operation } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Call } from '../../../src/upstream/call.ts';
import { statusError } from '../../../src/upstream/exchange/status-error.ts';

const url = 'http://things';
const key = { env: 'KEY' };
const services = {
  plain: defineService({ name: 'plain', url }),
  'with a token of ours': defineService({ name: 'token', url, auth: bearer(key) }),
  'with a key of ours': defineService({ name: 'key', url, headers: { 'x-api-key': key } }),
  'with a tenant': defineService({ name: 'tenant', url, headers: { 'x-tenant': 'acme' } }),
};

function isForClient(
  service: keyof typeof services,
  forward: readonly string[],
  status: number,
): boolean {
  const config = { name: 'get', route: 'GET /', response: z.unknown(), forward } as const;
  const made = operation(services[service], config);
  const call = { operation: made, headers: {} } as unknown as Call; // the rest is never read
  const error = statusError(call, { status, headers: {} }, 0);
  return 'rejectedCredentials' in error && error.rejectedCredentials !== undefined;
}

describe('a 401 without credentials of the client', () => {
  it.each<[keyof typeof services, string[], number, boolean]>([
    ['plain', ['cookie'], 401, true],
    ['plain', ['x-locale', 'authorization'], 401, true],
    ['with a tenant', ['authorization'], 401, true],
    ['plain', ['cookie'], 403, false],
    ['plain', ['cookie'], 402, false],
    ['plain', ['x-locale'], 401, false],
    ['plain', [], 401, false],
    ['with a token of ours', ['cookie'], 401, false],
    ['with a key of ours', ['authorization'], 401, false],
  ])('of a service %s that gets %j: a %i is passed on: %s', (service, forward, status, passed) => {
    expect(isForClient(service, forward, status)).toBe(passed);
  });
});
