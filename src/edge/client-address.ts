/** The address that a request is counted by. */
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { bindingsOf } from '../http/request-record.ts';
import type { GatewayContext } from '../http/request-record.ts';
import { addressGroup, withoutMapping } from '../network.ts';

/** Whether an address is that of a proxy of ours. */
export type IsTrusted = (address: string) => boolean;

/**
 * The peer's address, or, behind proxies of ours, the last address in `X-Forwarded-For` that is none
 * of theirs: what is before it was written by the client. `undefined` for a request of such a proxy
 * itself, such as a health check.
 */
export function clientAddress(
  peer: string,
  forwardedFor = '',
  isTrusted: IsTrusted,
): string | undefined {
  if (!isTrusted(peer)) return peer;
  // From its end: a client may have written thousands of addresses before its own.
  for (let end = forwardedFor.length; end > 0;) {
    const before = forwardedFor.lastIndexOf(',', end - 1);
    const address = withoutPort(forwardedFor.slice(before + 1, end).trim());
    if (address !== '' && !isTrusted(address)) return address;
    end = before;
  }
  return undefined;
}

/** Some proxies write `203.0.113.7:4711` and `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1];
  return bracketed ?? address.replace(/^([\d.]+):\d+$/, '$1');
}

/** The same as `clientAddress`, by its /64 if it is of IPv6; `unknown` for what is no address. */
export function clientGroup(...request: Parameters<typeof clientAddress>): string | undefined {
  const address = clientAddress(...request);
  if (address === undefined) return undefined;
  // Some proxies forward a word for what they do not tell, and a text may have any length.
  return isIP(withoutMapping(address)) === 0 ? 'unknown' : addressGroup(address);
}

/** The `clientGroup` of a request. */
export function groupOfRequest(c: GatewayContext, isTrusted: IsTrusted): string | undefined {
  const { peer } = c.get('record');
  const { incoming } = bindingsOf(c);
  return incoming === undefined || isTrusted(peer)
    ? clientGroup(peer, c.req.header('x-forwarded-for'), isTrusted)
    : groupOfSocket(incoming.socket, peer);
}

/** The addresses of connections: parsing one takes longer than counting it. */
const groups = new WeakMap<Socket, string>();

function groupOfSocket(socket: Socket, peer: string): string {
  const known = groups.get(socket);
  if (known !== undefined) return known;
  const group = addressGroup(peer);
  groups.set(socket, group);
  return group;
}
