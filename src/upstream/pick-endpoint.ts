/** Endpoint choice: which address of a service gets the attempt. */
import type { Policy } from './call.ts';
import type { Endpoint } from './endpoint.ts';

/** Takes turns. */
export function pickEndpoint(endpoints: readonly Endpoint[]): Policy {
  let turn = 0;
  return (next) => async (call) => {
    const endpoint = endpoints[turn % endpoints.length];
    turn += 1;
    if (endpoint === undefined)
      throw new Error(`service "${call.operation.service.name}" has no endpoint`);
    return next({ ...call, endpoint });
  };
}
