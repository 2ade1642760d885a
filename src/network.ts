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
  const isNumber = prefix === undefined || /^\d+$/.test(prefix);
  const bits = Number(prefix ?? longest);
  if (isIP(address) === 0 || !isNumber || bits > longest || rest.length > 0) return undefined;
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
  const mapped = mappedIn(canonical);
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = canonical.split('::', 2);
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

/** The IPv4 address that one of IPv6 stands for (RFC 4291, 2.5.5.2): `::ffff:cb00:7107`. */
function mappedIn(canonical: string): string | undefined {
  const [, ...groups] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical) ?? [];
  if (groups.length === 0) return undefined;
  const bits = groups.map((group) => Number.parseInt(group, 16));
  return bits.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
