import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../src/dsl/operation.ts';
import type { Permit } from '../../src/upstream/attempt.ts';
import type { Attempt } from '../../src/upstream/call.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import {
  attemptsWith,
  dispatchFor,
  nowhere,
  ok,
  reasonOf,
  unreached,
} from '../support/upstream-calls.ts';

const getOrders = operation(nowhere, { route: 'GET /orders', response: z.unknown() });

/** Attempts of a service that answers after 20 ms, with `log` of what begins and ends. */
function startAttempts(
  permitsOf: (log: string[], clock: ReturnType<typeof createFakeClock>) => Permit[],
) {
  const clock = createFakeClock();
  const log: string[] = [];
  const seen: Attempt[] = [];
  const send = attemptsWith(
    permitsOf(log, clock),
    async () => {
      clock.advance(20);
      return ok;
    },
    {
      clock,
      choose: () => ({ address: unreached, onEnd: () => void log.push('address ends') }),
      hook(attempt) {
        seen.push(attempt);
        return {
          onEnd: ({ tookMs, status }) => void log.push(`hook ends: ${status}, ${tookMs} ms`),
        };
      },
    },
  );
  return { log, seen, send: () => send(dispatchFor(getOrders)) };
}

const permit =
  (log: string[], name: string): Permit =>
  () => {
    log.push(`${name} begins`);
    return { onEnd: ({ tookMs }) => void log.push(`${name} ends after ${tookMs} ms`) };
  };

describe('an attempt', () => {
  it('begins with its permits in order, and all that began ends in reverse', async () => {
    const { log, send } = startAttempts((own) => [permit(own, 'breaker'), permit(own, 'bulkhead')]);
    await send();
    expect(log).toEqual([
      'breaker begins',
      'bulkhead begins',
      'hook ends: 200, 20 ms',
      'address ends',
      'bulkhead ends after 20 ms',
      'breaker ends after 20 ms',
    ]);
  });

  it('counts the time in the queue anew every time, and never as the time of the service', async () => {
    const { seen, log, send } = startAttempts((_, clock) => [
      async () => {
        clock.advance(50);
        return { onEnd: () => undefined, queuedMs: 50 };
      },
    ]);
    await send();
    await send();
    expect(seen.map(({ queuedMs }) => queuedMs)).toEqual([50, 50]);
    expect(log.filter((line) => line.startsWith('hook'))).toEqual([
      'hook ends: 200, 20 ms',
      'hook ends: 200, 20 ms',
    ]);
  });

  it('ends the permits it had when a later one is refused', async () => {
    const { log, send } = startAttempts((own) => [
      permit(own, 'breaker'),
      () => {
        throw new TypeError('no place');
      },
    ]);
    expect(await reasonOf(send())).toEqual(new TypeError('no place'));
    expect(log).toEqual(['breaker begins', 'breaker ends after 0 ms']);
  });
});
