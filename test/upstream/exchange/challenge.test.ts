import { describe, expect, it } from 'vitest';
import { passableChallenges } from '../../../src/upstream/exchange/challenge.ts';

describe('the challenges that a client may be given', () => {
  it.each<[string | string[] | undefined, string | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['Bearer', 'Bearer'],
    ['bearer', 'bearer'],
    ['Bearer realm="orders"', 'Bearer realm="orders"'],
    [
      'Bearer realm="a, b", error="invalid_token", scope="x y"',
      'Bearer realm="a, b", error="invalid_token", scope="x y"',
    ],
    ['DPoP algs="ES256 PS256"', 'DPoP algs="ES256 PS256"'],
    ['Basic realm="orders"', undefined],
    ['Basic realm="a", Bearer realm="b"', 'Bearer realm="b"'],
    ['Bearer realm="b", Basic realm="a"', 'Bearer realm="b"'],
    ['Basic, Bearer', 'Bearer'],
    ['Negotiate, Bearer error="invalid_token"', 'Bearer error="invalid_token"'],
    ['Negotiate a87421000492aa874209af8bc028==, DPoP', 'DPoP'],
    ['Digest realm="x", nonce="Bearer realm=\\"y\\"", qop=auth', undefined],
    ['Basic realm="x, Bearer", Bearer scope=a', 'Bearer scope=a'],
    [', ,Bearer realm="a",, error=invalid_token', 'Bearer realm="a", error=invalid_token'],
    [['Basic realm="a"', 'Bearer', 'DPoP algs=ES256'], 'Bearer, DPoP algs=ES256'],
    ['Bearer realm = "a"', 'Bearer realm = "a"'],
    ['Bearer realm="unterminated', undefined],
    ['Bearer realm="a"; evil', undefined],
    ['Bearer realm="a", {"json"}', 'Bearer realm="a"'],
  ])('of %j are %j', (field, expected) => {
    expect(passableChallenges(field)).toBe(expected);
  });
});
