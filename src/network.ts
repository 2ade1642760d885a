/** Networks of IP addresses, and whose address a request comes from. */
import { BlockList, isIP } from 'node:net';

/** A range of IP addresses: all whose first `bits` bits are those of `address`. */
export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.0.0.0/8`, `::1` → a network; an address is one of one. `undefined` when `text` is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const longest = family === 'ipv6' ? 128 : 32;
  const bits = prefix === undefined ? longest : Number(prefix);
  const fits = Number.isInteger(bits) && bits >= 0 && bits <= longest;
  if (isIP(address) === 0 || prefix === '' || !fits || rest.length > 0) return undefined;
  return { address, bits, family };
}

/** The addresses by which a machine reaches itself. */
export const loopback: readonly Network[] = [
  { address: '127.0.0.0', bits: 8, family: 'ipv4' },
  { address: '::1', bits: 128, family: 'ipv6' },
];

/** Whether an address is in one of `networks`. */
export function isWithin(networks: readonly Network[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const { address, bits, family } of networks) list.addSubnet(address, bits, family);
  return function isListed(peer) {
    const address = withoutMapping(peer);
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** An IPv4 address as it is, also on a dual-stack socket, where it is `::ffff:10.0.0.1`. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/**
 * The group in which an address is counted: IPv4 by itself, IPv6 with its /64, which is the least
 * that a provider gives to a customer.
 */
export function addressGroup(address: string): string {
  const plain = withoutMapping(address);
  if (isIP(plain) !== 6) return plain;
  // Written as RFC 5952 has it, without an IPv4 address at the end.
  const canonical = URL.parse(`http://[${plain.replace(/%.*$/, '')}]`)?.hostname.slice(1, -1) ?? '';
  const [head = '', tail = ''] = canonical.split('::', 2);
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
