/** `10.0.0.0/8`, `::1` → networks. */
import { isIP } from 'node:net';
import type { Network } from '../telemetry/settings.ts';

/** An address is a network of one. `undefined` when `text` is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const longest = family === 'ipv6' ? 128 : 32;
  const bits = prefix === undefined ? longest : Number(prefix);
  const fits = Number.isInteger(bits) && bits >= 0 && bits <= longest;
  if (isIP(address) === 0 || prefix === '' || !fits || rest.length > 0) return undefined;
  return { address, bits, family };
}
