import { expect, it } from 'vitest';
import { clientAddress } from '../../src/edge/client-address.ts';
import { cpuMsOf } from '../support/cpu-time.ts';

const isTrusted = (address: string) => address.startsWith('10.');

it.each([
  ['a client without a proxy', '203.0.113.7', undefined, '203.0.113.7'],
  ['a client that forwards something', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
  ['a client behind a proxy', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
  ['a client behind two proxies', '10.0.0.1', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
  ['a client that wrote an address itself', '10.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['a client with a port', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
  ['a client of IPv6 with a port', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
  ['a client without a known address', '10.0.0.1', 'unknown', 'unknown'],
  ['a proxy itself', '10.0.0.1', undefined, undefined],
  ['a proxy that forwards proxies only', '10.0.0.1', '10.0.0.2', undefined],
  ['a proxy that forwards nothing', '10.0.0.1', ' , ', undefined],
])('%s at %s, forwarded as %s, has the address %s', (_what, peer, forwarded, address) => {
  expect(clientAddress(peer, forwarded, isTrusted)).toBe(address);
});

it.each([
  ['a thousand addresses', '198.51.100.1,'.repeat(1_000)],
  ['8,000 commas', ','.repeat(8_000)],
])('a client that wrote %s before its own is found as fast as any other', (_what, written) => {
  const forwarded = `${written}203.0.113.7`;
  const find = () => clientAddress('10.0.0.1', forwarded, isTrusted);
  expect(find()).toBe('203.0.113.7');
  expect(cpuMsOf(() => Array.from({ length: 100 }, find))).toBeLessThan(20);
});
