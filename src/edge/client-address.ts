/** The address that a request is counted by. */

/**
 * The peer's address, or, behind proxies of ours, the last address in `X-Forwarded-For` that is none
 * of theirs: what is before it was written by the client. `undefined` for a request of such a proxy
 * itself, such as a health check.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | undefined {
  if (!isTrusted(peer)) return peer;
  const forwarded = forwardedFor?.split(',').map((one) => withoutPort(one.trim())) ?? [];
  return forwarded.findLast((address) => address !== '' && !isTrusted(address));
}

/** Some proxies write `203.0.113.7:4711` and `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1];
  return bracketed ?? address.replace(/^([\d.]+):\d+$/, '$1');
}
