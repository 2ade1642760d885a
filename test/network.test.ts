import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressGroup, isWithin, parseNetwork } from '../src/network.ts';
import { assertProperty } from './support/property.ts';

const within = (...texts: string[]) =>
  isWithin(texts.map((text) => parseNetwork(text)).filter((network) => network !== undefined));

describe('an address', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['::1', '::1', true],
    ['2001:db8::5', '2001:db8::/64', true],
    ['unknown', '10.0.0.0/8', false],
    ['', '10.0.0.0/8', false],
  ])('%s is in %s: %s', (address, network, isIn) => {
    expect(within(network)(address)).toBe(isIn);
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::ffff:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:FFFF:203.0.113.7', '203.0.113.7'],
    ['::ffff:0:1', '0.0.0.1'],
    ['::1:ffff:cb00:7107', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  it.each([
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-0',
    '10.0.0.0/0x8',
    '10.0.0.0/1e1',
    '10.0.0.0/8/8',
    '10.0.0/8',
  ])('%s is no network', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it('of IPv6 counts as every other one of its /64, and as no one beyond', () => {
    assertProperty(
      fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
        const isOfOne = within(addressGroup(one));
        expect([isOfOne(one), isOfOne(other)]).toEqual([
          true,
          addressGroup(one) === addressGroup(other),
        ]);
      }),
    );
  });
});
