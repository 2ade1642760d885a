/** References of a service that lead to itself, and to where else they lead. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownTarget, whereTo } from '../../../src/upstream/exchange/own-location.ts';
import { assertProperty } from '../../support/property.ts';

const base = {
  origin: 'http://shop:4001',
  prefix: '/v2',
  target: '/orders/1?expand=all',
  keyParameter: 'api_key',
};

describe('the target that a reference leads to', () => {
  it.each([
    ['a whole address', 'http://shop:4001/v2/a?b=c', '/a?b=c'],
    ['another way to write the host', 'HTTP://SHOP:4001/v2/a', '/a'],
    ['an address without a scheme', '//shop:4001/v2/a', '/a'],
    ['a path', '/v2/a', '/a'],
    ['the prefix', '/v2', '/'],
    ['the prefix with a slash', '/v2/', '/'],
    ['a path that ends in a slash', '/v2/a/', '/a/'],
    ['a path with two slashes', '/v2/a//b', '/a//b'],
    ['a name beside it', '2', '/orders/2'],
    ['a path above it', '../items', '/items'],
    ['a query of its own', '?page=2', '/orders/1?page=2'],
    ['the same place', '', '/orders/1?expand=all'],
    ['a fragment, which is not sent', '/v2/a#b', '/a'],
    ['bytes that are UTF-8', '/v2/\u00c3\u00a4', '/%C3%A4'],
    ['bytes that are Latin-1', '/v2/\u00e4', '/%C3%A4'],
    ['an encoded slash', '/v2/a%2Fb', '/a%2Fb'],
    ['our key, which is added again', '/v2/a?x=%20&api_key=k&y=1', '/a?x=%20&y=1'],
    ['our key alone, however it is written', '/v2/a?%61pi_key=k', '/a'],
  ])('is that of %s', (_, text, target) => {
    expect(ownTarget(text, base)).toBe(target);
  });

  it.each([
    ['another scheme', 'https://shop:4001/v2/a', 'https://shop:4001'],
    ['another host', 'http://shop.evil/v2/a', 'http://shop.evil'],
    ['another host without a scheme', '//evil/v2/a', 'http://evil'],
    ['another host behind backslashes', String.raw`/\evil/v2/a`, 'http://evil'],
    ['another port', 'http://shop:4002/v2/a', 'http://shop:4002'],
    ['the usual port', 'http://shop/v2/a', 'http://shop'],
    ['a host behind a user name', 'http://shop:4001@evil/v2/a', 'http://evil'],
    ['another host, whose query stays secret', 'http://evil/v2/a?code=secret', 'http://evil'],
    ['a user name', 'http://me:pass@shop:4001/v2/a', '/v2/a'],
    ['a sibling of the prefix', '/v2evil/a', '/v2evil/a'],
    ['a path beside the prefix', '/login?code=secret', '/login'],
    ['a path out of the prefix', '/v2/../admin', '/admin'],
    ['one that is encoded', '/v2/%2e%2e/admin', '/admin'],
    ['one that is encoded twice', '/v2/%252e%252e/admin', '/v2/%252e%252e/admin'],
    ['one behind an encoded slash', '/v2/..%2fadmin', '/v2/..%2fadmin'],
    ['one behind a parameter', '/v2/..;x/admin', '/v2/..;x/admin'],
    ['an encoded backslash', '/v2/a%5C..', '/v2/a%5C..'],
    ['an encoded control character', '/v2/a%00', '/v2/a%00'],
    ['a long path', `/${'a'.repeat(300)}`, `/${'a'.repeat(199)}…`],
    ['no origin', 'mailto:me@shop', 'an address that begins with mailto:'],
    ['nothing that can be read', 'http://', 'an address that cannot be read'],
  ])('is none for %s', (_, text, where) => {
    expect(ownTarget(text, base)).toBeUndefined();
    expect(whereTo(text, base, () => false)).toBe(where);
    const isRead = where !== 'an address that cannot be read';
    const hidden = isRead ? 'an address that repeats a credential' : where;
    expect(whereTo(text, base, () => true)).toBe(hidden);
  });

  it('is always at the same address and below its prefix', () => {
    const parts = fc.constantFrom(
      '/',
      '..',
      '.',
      '%2e',
      '%2f',
      '\\',
      ':',
      '@',
      '?',
      '#',
      'v2',
      'a',
    );
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.array(parts).map((list) => list.join('')),
    );
    assertProperty(
      fc.property(text, (reference) => {
        const target = ownTarget(reference, base);
        if (target === undefined) return;
        const url = new URL(base.origin + base.prefix + target);
        expect(url.href).toBe(base.origin + base.prefix + target);
        expect(url.pathname.startsWith('/v2/')).toBe(true);
        expect(ownTarget(url.href, base)).toBe(target);
      }),
    );
  });
});
