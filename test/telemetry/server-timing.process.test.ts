import { describe, expect, it } from 'vitest';
import { run, runMocks, shipped } from '../support/processes.ts';

/** The names in `Server-Timing`; `undefined` if the gateway does not send it. */
async function timedBy(environment: Record<string, string>): Promise<string[] | undefined> {
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    PORT: '0',
    HOST: '127.0.0.1',
    ...environment,
  });
  const response = await fetch(`${await gateway.ready}/orders/ord_1001/summary`);
  expect(response.status).toBe(200);
  const header = response.headers.get('server-timing');
  return header?.split(', ').map((entry) => entry.replace(/;.*/, ''));
}

describe('SERVER_TIMING', () => {
  const steps = ['order', 'payment', 'shipment', 'total'];

  // Nothing is recorded in production where there is nowhere to send it: then there is no trace to name.
  it.each([
    ['development', '', ['trace', ...steps]],
    ['development', 'off', undefined],
    ['production', '', undefined],
    ['production', 'on', steps],
  ])('in %s, set to "%s", lets responses say %j', async (NODE_ENV, SERVER_TIMING, expected) => {
    const names = await timedBy({ NODE_ENV, SERVER_TIMING });
    expect(names?.toSorted()).toEqual(expected?.toSorted());
  });
});
