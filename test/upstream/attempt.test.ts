import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../src/dsl/declare-operation.ts';
import type { Gate } from '../../src/upstream/attempt.ts';
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

/** Attempts of a service that answers after 20 ms; `log` lists what begins and ends. */
function startAttempts(
  gatesOf: (log: string[], clock: ReturnType<typeof createFakeClock>) => Gate[],
) {
  const clock = createFakeClock();
  const log: string[] = [];
  const seen: Attempt[] = [];
  const send = attemptsWith(
    gatesOf(log, clock),
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

const gate =
  (log: string[], name: string): Gate =>
  () => {
    log.push(`${name} begins`);
    return { onEnd: ({ tookMs }) => void log.push(`${name} ends after ${tookMs} ms`) };
  };

describe('an attempt', () => {
  it('passes its gates in order and ends everything it began in reverse order', async () => {
    const { log, send } = startAttempts((own) => [gate(own, 'breaker'), gate(own, 'bulkhead')]);
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

  it('measures queueing anew for each attempt and never counts it as service time', async () => {
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

  it('returns the permits it has when a later gate refuses it', async () => {
    const { log, send } = startAttempts((own) => [
      gate(own, 'breaker'),
      () => {
        throw new TypeError('no permit');
      },
    ]);
    expect(await reasonOf(send())).toEqual(new TypeError('no permit'));
    expect(log).toEqual(['breaker begins', 'breaker ends after 0 ms']);
  });

  it('returns its permits also where a listener throws at its end', async () => {
    const { log, send } = startAttempts((own) => [
      gate(own, 'breaker'),
      () => ({
        onEnd() {
          throw new TypeError('a mistake');
        },
      }),
    ]);
    expect(await reasonOf(send())).toEqual(new TypeError('a mistake'));
    expect(log.at(-1)).toBe('breaker ends after 20 ms');
  });
});
