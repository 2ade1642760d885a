/** Abandoned attempts say nothing about a service, yet a service that hangs is detected. */
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

/** The latency after which a call is hedged. */
const usualMs = 100;

/**
 * A service with 20 answers that took `usualMs`. From then on it answers the first request of each
 * call only by `answerFirsts`, and further ones at once.
 */
async function startHedged() {
  const clock = createFakeClock();
  const asked = new Set<string>();
  const held = new Set<() => void>();
  const server = await startServer(({ url = '' }, response) => {
    const answer = (): void => void response.end('1');
    if (asked.has(url)) return answer();
    asked.add(url);
    held.add(answer);
    response.once('close', () => held.delete(answer));
  });
  const shop = openShop({
    url: server.url,
    clock,
    service: {
      timeoutMs,
      hedge: { afterP: 0.5, maxExtra: 0.999 },
      retryBudget: { floor: 1_000 },
      breaker: { failedPercent: 30 },
    },
  });
  const read = operation(shop.service, { route: 'GET /things/:id', response: z.unknown() });
  let calls = 0;
  const answerFirsts = (): void => {
    for (const answer of held) answer();
  };

  /** Makes calls at the same time, and waits until `tookMs` have passed for all of them. */
  async function begin(count: number, tookMs = usualMs): Promise<() => Promise<unknown>> {
    const ids = Array.from({ length: count }, () => String((calls += 1)));
    const settled = ids.map((id) => shop.call(read, { id }, undefined));
    await vi.waitFor(() => expect(asked.size).toBe(calls));
    clock.advance(tookMs);
    return () => Promise.all(settled);
  }

  /** Makes calls whose first attempts lose. */
  async function ask(count: number): Promise<void> {
    const settled = await begin(count);
    await settled();
  }

  /** Makes calls whose first attempts are answered. */
  async function answerAfter(count: number, tookMs = usualMs): Promise<void> {
    const settled = await begin(count, tookMs);
    answerFirsts();
    await settled();
  }

  await answerAfter(20);
  const status = () => shop.upstreams.status()[0];
  const inFlight = (count: number) =>
    vi.waitFor(() => expect(status()?.bulkhead.inFlight).toBe(count));
  return { clock, ask, answerAfter, answerFirsts, status, inFlight };
}

describe('a hedged attempt that loses', () => {
  it('is cancelled at once before three first attempts in a row have lost', async () => {
    const { ask, inFlight, status } = await startHedged();
    await ask(3);
    await inFlight(0);
    expect(status()?.breaker).toBe('closed');
  });

  it('is cancelled at once while first attempts of other calls are answered', async () => {
    const { ask, answerAfter, inFlight, status } = await startHedged();
    for (let round = 0; round < 3; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await ask(2);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await answerAfter(1, usualMs - 1);
    }
    await inFlight(0);
    expect(status()?.breaker).toBe('closed');
  });

  it('counts as failed at its own timeout, so that a hang behind hedges is detected', async () => {
    const { ask, clock, inFlight, status } = await startHedged();
    await ask(3);
    await ask(25);
    await inFlight(6);
    clock.advance(timeoutMs - usualMs - 1);
    expect(status()?.breaker).toBe('closed');
    clock.advance(1);
    await vi.waitFor(() => expect(status()?.breaker).toBe('open'));
    await inFlight(0);
  });

  it('says that the service does not hang when it is answered in the end', async () => {
    const { ask, clock, answerFirsts, inFlight, status } = await startHedged();
    await ask(3);
    await ask(25);
    await inFlight(6);
    answerFirsts();
    await inFlight(0);
    clock.advance(timeoutMs);
    expect(status()?.breaker).toBe('closed');
    await ask(3);
    await inFlight(0);
  });
});
