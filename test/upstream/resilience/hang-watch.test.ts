/** Clients in a hurry say nothing about a service, yet a service that hangs is detected. */
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import type { ServiceConfig } from '../../../src/dsl/service.ts';
import { ExecutionError } from '../../../src/errors.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { startServer } from '../../support/servers.ts';
import { callerOf, openShop, reasonOf } from '../../support/upstream-calls.ts';

const timeoutMs = 1_000;
const hurryMs = 200;

interface ServiceOptions {
  /** `hang`: no request is ever answered. */
  readonly hang: boolean;
  readonly service?: Partial<ServiceConfig>;
  readonly coalesce?: boolean;
}

/** A service that answers on request, and clients that leave after `hurryMs`. */
async function startHurry({ hang, service, coalesce = true }: ServiceOptions) {
  const clock = createFakeClock();
  const held = new Set<() => void>();
  let begun = 0;
  const server = await startServer((_, response) => {
    begun += 1;
    const answer = (): void => void response.end('1');
    held.add(answer);
    response.once('close', () => held.delete(answer));
  });
  const shop = openShop({ url: server.url, clock, service: { timeoutMs, ...service } });
  const read = operation(shop.service, {
    route: 'GET /things/:id',
    response: z.unknown(),
    coalesce,
  });
  let calls = 0;

  function begin(): { settled: Promise<unknown>; leave: () => void } {
    const request = new AbortController();
    const deadlineAt = clock.now() + hurryMs;
    const own = shop.upstreams.open(callerOf({ signal: request.signal, deadlineAt }));
    const settled = own.call(read, { id: String((calls += 1)) }, undefined);
    settled.catch(() => undefined);
    const leave = (): void => request.abort(new ExecutionError('deadline', 'out of time'));
    return { settled, leave };
  }

  /** Starts `count` clients at the same time, which leave when their time is over. */
  async function hurry(count: number): Promise<void> {
    const before = begun;
    const clients = Array.from({ length: count }, begin);
    await vi.waitFor(() => expect(begun).toBe(before + count));
    clock.advance(hurryMs);
    for (const { leave, settled } of clients) {
      leave();
      // oxlint-disable-next-line no-await-in-loop -- one client leaves after the other
      await reasonOf(settled);
    }
  }

  const status = () => shop.upstreams.status()[0];
  return {
    clock,
    begin,
    hurry,
    status,
    begun: () => begun,
    /** Waits until `count` requests have open connections. */
    goesOn: (count: number) =>
      vi.waitFor(() =>
        expect({ open: held.size, inFlight: status()?.bulkhead.inFlight }).toEqual({
          open: count,
          inFlight: count,
        }),
      ),
    async answerAll() {
      if (!hang) for (const answer of held) answer();
      await vi.waitFor(() => expect(status()?.bulkhead.inFlight).toBe(0));
    },
  };
}

describe.each([{ coalesce: true }, { coalesce: false }])(
  'clients in a hurry ($coalesce)',
  ({ coalesce }) => {
    it('never open the breaker of a service that is only slower than they wait', async () => {
      const { hurry, answerAll, status, goesOn, clock } = await startHurry({
        hang: false,
        coalesce,
      });
      for (let round = 0; round < 3; round += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one round after the other
        await hurry(25);
        // oxlint-disable-next-line no-await-in-loop -- see above
        await goesOn(6);
        clock.advance(300);
        // oxlint-disable-next-line no-await-in-loop -- see above
        await answerAll();
      }
      expect(status()?.breaker).toBe('closed');
    });

    it('leave a twentieth of the permits to reads by which a hang is detected', async () => {
      const { hurry, status, goesOn, clock } = await startHurry({ hang: true, coalesce });
      await hurry(25);
      await goesOn(6);
      clock.advance(timeoutMs - hurryMs - 1);
      expect(status()?.breaker).toBe('closed');
      clock.advance(1);
      await vi.waitFor(() => expect(status()?.breaker).toBe('open'));
      await goesOn(0);
    });
  },
);

describe('an abandoned read', () => {
  it('is cancelled at once as long as the service answers others', async () => {
    const { hurry, goesOn, begin, answerAll, begun } = await startHurry({ hang: false });
    for (let round = 0; round < 5; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await hurry(2);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await goesOn(0);
      const before = begun();
      const { settled } = begin();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await vi.waitFor(() => expect(begun()).toBe(before + 1));
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answerAll();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await settled;
    }
  });

  it.each([0, 5])(
    'is cancelled at once for a call that needs its permit, with a queue of %i',
    async (queue) => {
      const { hurry, goesOn, begin, begun, status } = await startHurry({
        hang: true,
        service: { bulkhead: { concurrency: 4, queue } },
      });
      await hurry(4);
      await goesOn(1);
      const before = begun();
      const clients = Array.from({ length: 4 }, begin);
      await vi.waitFor(() => expect(begun()).toBe(before + 4));
      expect(status()?.bulkhead).toEqual({ inFlight: 4, waiting: 0 });
      expect(status()?.breaker).toBe('closed');
      for (const { leave } of clients) leave();
    },
  );

  it('does not run on while calls wait for a permit', async () => {
    const { begin, begun, goesOn, hurry } = await startHurry({
      hang: true,
      service: { bulkhead: { concurrency: 3, queue: 5, waitMs: 10_000 } },
    });
    await hurry(3);
    await goesOn(0);
    const before = begun();
    const clients = Array.from({ length: 6 }, begin);
    await vi.waitFor(() => expect(begun()).toBe(before + 3));
    clients[0]?.leave();
    await vi.waitFor(() => expect(begun()).toBe(before + 4));
    for (const { leave } of clients) leave();
  });

  it('also counts for calls abandoned meanwhile, so a small service is judged, too', async () => {
    const { hurry, status, goesOn, clock } = await startHurry({
      hang: true,
      service: { bulkhead: { concurrency: 10 } },
    });
    for (let round = 0; round < 3; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await hurry(9);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await goesOn(1);
    }
    clock.advance(timeoutMs);
    await vi.waitFor(() => expect(status()?.breaker).toBe('open'));
  });
});
