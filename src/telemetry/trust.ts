/** Whom the gateway believes: peers whose `traceparent` may say that a request is to be recorded. */
import { BlockList, isIP } from 'node:net';
import type { Context } from '@opentelemetry/api';
import { ConfigurationError } from '../errors.ts';

// Its keys are symbols; importing it for one would load it where telemetry is off, too.
const trusted = Symbol('the sampling flag may be followed');

/** A context whose remote parent may decide whether the request is recorded. */
export function trustParent(context: Context): Context {
  return context.setValue(trusted, true);
}

export function isParentTrusted(context: Context): boolean {
  return context.getValue(trusted) === true;
}

/**
 * Reads `TRUSTED_PEERS`, addresses and networks separated by commas, as in `10.0.0.0/8, ::1`.
 *
 * @throws ConfigurationError naming the part that is neither.
 */
export function createTrust(text = ''): (peer: string) => boolean {
  const list = new BlockList();
  const parts = text.split(',').map((part) => part.trim());
  for (const part of parts.filter((one) => one !== '')) add(list, part);
  return (peer) => {
    // IPv4 over a socket that takes both: ::ffff:10.0.0.1
    const address = peer.replace(/^::ffff:(?=\d+\.)/, '');
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

function add(list: BlockList, part: string): void {
  const [address = '', prefix, ...rest] = part.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
  const fits = Number.isInteger(bits) && bits >= 0 && bits <= (family === 6 ? 128 : 32);
  if (family === 0 || prefix === '' || !fits || rest.length > 0) {
    throw new ConfigurationError(
      `TRUSTED_PEERS: ${JSON.stringify(part)} is neither an address nor a network. Write them as in 10.0.0.0/8, ::1.`,
    );
  }
  list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
}
