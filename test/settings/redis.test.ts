import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';

const read = (REDIS_URL: string) => parseSettings({ REDIS_URL }, []).redis;

describe('REDIS_URL', () => {
  it.each(['', ' '])('names no Redis when it is %j', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    ['redis://cache', { host: 'cache', port: 6379, db: 0 }],
    ['redis://cache:7000/2', { host: 'cache', port: 7000, db: 2 }],
    ['redis://:p%40ss@cache/', { host: 'cache', port: 6379, db: 0, password: 'p@ss' }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, db: 0 }],
    [
      'rediss://ada:x@cache',
      { host: 'cache', port: 6379, db: 0, username: 'ada', password: 'x', tls: {} },
    ],
  ])('may be %s', (text, address) => {
    expect(read(text)).toEqual(address);
  });

  it.each([
    'secret',
    'http://user:secret@127.0.0.1',
    'redis://user:secret@',
    'redis://user:secret@127.0.0.1:99999',
    'redis://user:secret@127.0.0.1/orders',
    'redis://user:secret@127.0.0.1?enableOfflineQueue=true',
    'redis://user:secret@127.0.0.1#1',
    'redis://user:secret%@127.0.0.1',
    'redis:///var/run/secret.sock',
    '//:secret@127.0.0.1',
  ])('is refused, without being repeated, when it is %s', (text) => {
    expect(() => read(text)).toThrow(ConfigurationError);
    expect(() => read(text)).toThrow(/^REDIS_URL is not .* Use redis:\/\/127\.0\.0\.1:6379/);
    expect(() => read(text)).not.toThrow('secret');
  });
});
