/** A gateway that listens, in one step. */
import { createGateway } from '../../src/gateway.ts';
import type { GatewayOptions } from '../../src/gateway-options.ts';
import { listen } from '../../src/listen.ts';
import type { ListenOptions, Listening } from '../../src/listen.ts';

export type { GatewayOptions };

export async function startGateway(
  options: GatewayOptions & Partial<ListenOptions>,
): Promise<Listening> {
  return listen(createGateway(options), { host: '127.0.0.1', port: 0, ...options });
}
