import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { startGateway } from '../support/gateway.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { fallback, optional } from '../../src/dsl/guards.ts';
import { call, each, given } from '../../src/dsl/steps.ts';
import { createOverload, defaultLimits } from '../../src/edge/overload.ts';
import type { Overload } from '../../src/edge/overload.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import type { Watched } from '../../src/telemetry/telemetry.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { items, keptPart, list, part, serve, value, write } from '../support/serve.ts';
import type { ServeOptions } from '../support/serve.ts';
import { startUpstream } from '../support/upstream.ts';
import { addressesOf } from '../support/addresses.ts';
import { request } from '../support/request.ts';

/** Sheds steps, or refuses requests, while it is told to; counts how often it is asked. */
function overloaded({ sheds = true, retryAfter }: { sheds?: boolean; retryAfter?: number } = {}) {
  const asked = { shedsSteps: 0, refusal: 0, close: 0 };
  const now: { sheds: boolean; retryAfter: number | undefined } = { sheds, retryAfter };
  const overload: Overload = {
    shedsSteps: () => ((asked.shedsSteps += 1), now.sheds),
    retryAfterSeconds: () => ((asked.refusal += 1), now.retryAfter),
    pressure: 1,
    lag: { delayMs: 0, utilisation: 0 },
    close: () => void (asked.close += 1),
  };
  return { overload, asked, now };
}

/** Serves what `compose` describes while there is too much to do; every call is answered with its path. */
async function serveOverloaded(compose: () => unknown, options: ServeOptions = {}) {
  const pressed = overloaded();
  const app = await serve(compose, { overload: pressed.overload, ...options });
  app.upstream.answerAll((text) => (text.includes('/lists/') ? items(3) : value(text)));
  return { ...app, ...pressed };
}

it('telemetry is given counts of the steps and requests that were shed', async () => {
  const watched: Watched[] = [];
  const telemetry = combine([{ watch: (gateway) => void watched.push(gateway) }]);
  const app = await serveOverloaded(
    () => ({
      order: call(part, { name: 'order' }),
      payment: optional(call(part, { name: 'payment' })),
      shipment: fallback(call(part, { name: 'shipment' }), { value: 'unknown' }),
    }),
    { telemetry },
  );
  await app.ask();
  expect(watched[0]?.shed).toEqual({ steps: 2, requests: 0, overLimit: 0 });
  app.now.retryAfter = 1;
  await app.ask();
  expect(watched[0]?.shed).toEqual({ steps: 2, requests: 1, overLimit: 0 });
});

describe('a tolerated step under overload', () => {
  it('with a second source is left out only where that is tolerated, and the source not asked', async () => {
    const app = await serveOverloaded(() => ({
      left: optional(fallback(call(part, { name: 'first' }), () => call(part, { name: 'second' }))),
      must: fallback(call(part, { name: 'must' }), () => call(part, { name: 'second' })),
    }));
    const { json, headers } = await app.get('/test');
    expect(json).toMatchObject({ left: null, must: value('GET /parts/must') });
    expect(headers.get('plait-degraded')).toBe('left;reason=shed');
    expect(app.upstream.asked()).toEqual(['GET /parts/must']);
  });

  it('is left out, and the response says so; required steps are served', async () => {
    const app = await serveOverloaded(() => ({
      order: call(part, { name: 'order' }),
      payment: optional(call(part, { name: 'payment' })),
      shipment: fallback(call(part, { name: 'shipment' }), { value: 'unknown' }),
    }));
    const { status, headers, json } = await app.ask();
    const shed = { type: 'urn:plait:problem:shed', title: 'Skipped under load', status: 503 };
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        order: value('GET /parts/order'),
        payment: null,
        shipment: value('unknown'),
        $problems: [
          { pointer: '/payment', step: 'payment', ...shed },
          { pointer: '/shipment', step: 'shipment', ...shed },
        ],
      },
    });
    expect(headers.get('plait-degraded')).toBe('payment;reason=shed, shipment;reason=shed');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(app.upstream.asked()).toEqual(['GET /parts/order']);
    expect(app.internalErrors).toEqual([]);
  });

  it('is served again when the overload is over', async () => {
    const app = await serveOverloaded(() => ({ a: optional(call(part, { name: 'a' })) }));
    expect((await app.ask()).json.a).toBeNull();
    app.now.sheds = false;
    const { json, headers } = await app.ask();
    expect(json).toEqual({ a: value('GET /parts/a') });
    expect(headers.has('plait-degraded')).toBe(false);
  });

  it('is left out with all the others of its request or with none', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const app = await serveOverloaded(() => names.map((name) => optional(call(part, { name }))));
    expect((await app.ask()).json).toEqual([null, null, null, null]);
    expect(app.asked.shedsSteps).toBe(1);
  });

  it('is left out of every item of a list', async () => {
    const app = await serveOverloaded(() => ({
      rows: each(call(list, { name: 'l' }), (item) => ({
        id: item.id,
        needed: call(part, { name: item.id }),
        extra: optional(call(part, { name: item.id, after: 'x' })),
      })),
    }));
    const { json, headers } = await app.ask();
    expect(json.rows).toEqual(
      items(3).map(({ id }) => ({ id, needed: value(`GET /parts/${id}`), extra: null })),
    );
    expect(headers.get('plait-degraded')).toBe('rows.extra;reason=shed;count=3');
    expect(json.$problems.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/rows/0/extra',
      '/rows/1/extra',
      '/rows/2/extra',
    ]);
    expect(app.upstream.asked()).toHaveLength(4);
  });

  it('is left out together with the steps inside of it', async () => {
    const app = await serveOverloaded(() => {
      const rows = call(list, { name: 'l' });
      return {
        rows: optional(each(rows, (item) => ({ part: call(part, { name: item.id }) }))),
        more: optional(given(rows, () => ({ part: call(part, { name: 'more' }) }))),
      };
    });
    expect((await app.ask()).json).toMatchObject({ rows: null, more: null });
    expect(app.upstream.asked()).toEqual(['GET /lists/l']);
  });

  it('is not left out if another step needs it', async () => {
    const app = await serveOverloaded(() => {
      const a = call(part, { name: 'a' });
      return { a: optional(a), b: call(part, { name: 'b', after: a.value }) };
    });
    const { json, headers } = await app.ask();
    expect(json.a).toEqual(value('GET /parts/a'));
    expect(headers.has('plait-degraded')).toBe(false);
  });

  it('is not looked up in the cache either', async () => {
    const app = await serveOverloaded(() => ({ a: optional(call(keptPart, { name: 'a' })) }));
    app.now.sheds = false;
    expect((await app.ask()).json.a).toEqual(value('GET /kept/a'));
    app.now.sheds = true;
    expect((await app.ask()).json.a).toBeNull();
  });

  it('is not left out if it writes, by itself or for every item', async () => {
    const app = await serveOverloaded(
      () => ({
        w: optional(call(write, { name: 'w', body: { note: 'n' } })),
        all: optional(
          each(call(list, { name: 'l' }), ({ id }) =>
            call(write, { name: id, body: { note: 'n' } }),
          ),
        ),
      }),
      { route: 'POST /test' },
    );
    await app.ask({ method: 'POST' });
    expect(app.upstream.asked()).toEqual([
      'GET /lists/l',
      'POST /writes/1',
      'POST /writes/2',
      'POST /writes/3',
      'POST /writes/w',
    ]);
  });

  it('is not left out where the composition refuses degraded responses', async () => {
    const app = await serveOverloaded(
      () => ({
        a: optional(call(part, { name: 'a' })),
        b: fallback(call(part, { name: 'b' }), value('-')),
      }),
      { degraded: 'fail' },
    );
    const { status, json } = await app.ask();
    expect([status, json]).toEqual([200, { a: value('GET /parts/a'), b: value('GET /parts/b') }]);
  });
});

describe('a request that is refused', () => {
  it('is answered with a 503 and Retry-After, and no service is called', async () => {
    const { overload, now, asked } = overloaded({ retryAfter: 3 });
    const app = await serve(() => call(part, { name: 'a' }), { overload });
    app.upstream.answerAll(value);
    const { status, headers, json } = await app.ask({ headers: { 'x-request-id': 'id-1' } });
    expect(status).toBe(503);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': '3',
      'cache-control': 'no-store',
      'x-request-id': 'id-1',
    });
    expect(json).toEqual({
      type: 'urn:plait:problem:unavailable',
      title: 'Unavailable',
      status: 503,
      detail: 'The gateway is overloaded.',
      instance: '/test',
      requestId: 'id-1',
    });
    expect([asked.refusal, asked.shedsSteps, app.upstream.asked()]).toEqual([1, 0, []]);
    expect(app.clock.pending).toBe(0);
    now.retryAfter = undefined;
    expect((await app.ask()).status).toBe(200);
    expect(app.internalErrors).toEqual([]);
  });

  it('is refused before it is parsed, even if it is malformed', async () => {
    const { overload } = overloaded({ retryAfter: 1 });
    const body = z.object({ name: z.string() });
    const app = await serve(() => ({}), { overload, body, route: 'POST /test' });
    const post = (text: string) => app.ask({ method: 'POST', body: text });
    expect((await post('{')).status).toBe(503);
    expect((await post('x'.repeat(1_000_000))).status).toBe(503);
    // The connection is as good as before.
    expect((await app.get('/livez')).status).toBe(200);
  });

  it('is never one for a health check, nor one of an operator', async () => {
    const { overload } = overloaded({ retryAfter: 1 });
    const app = await serve(() => ({}), { overload, managed: true });
    expect((await app.ask()).status).toBe(503);
    for (const path of ['/livez', '/readyz']) {
      expect((await request(app.url + path)).status).toBe(200);
      expect((await request(app.adminUrl + path)).status).toBe(200);
    }
    expect((await request(`${app.adminUrl}/upstreams`)).status).toBe(200);
  });
});

describe('a gateway', () => {
  it('closes its overload when it stops', async () => {
    const { overload, asked } = overloaded();
    const app = await serve(() => ({}), { overload });
    expect(asked.close).toBe(0);
    await app.close();
    expect(asked.close).toBe(1);
  });

  it('leaves out tolerated steps first, then refuses requests, then recovers', async () => {
    const clock = createFakeClock({ chances: [0] });
    let delayMs = 0;
    const meter = { read: () => ({ delayMs, utilisation: 0.5 }), close: () => undefined };
    const overload = createOverload({ limits: defaultLimits, meter, clock });
    const app = await serve(() => ({ a: optional(call(part, { name: 'a' })) }), { overload });
    app.upstream.answerAll(value);
    const after = async (looks: number, ms: number) => {
      delayMs = ms;
      clock.advance(250 * looks);
      const { status, json } = await app.ask();
      return status === 503 ? 'refused' : json.a === null ? 'shed' : 'served';
    };
    expect(await after(1, 500)).toBe('served');
    expect(await after(1, 500)).toBe('shed');
    expect(await after(4, 500)).toBe('shed');
    expect(await after(1, 500)).toBe('refused');
    expect(await after(3, 0)).toBe('shed');
    expect(await after(20, 0)).toBe('served');
    await app.close();
    expect(clock.pending).toBe(0);
  });
});

/** A gateway as `plait start` makes it: every request that failed is a warning or an error. */
async function startReporting(overload: Overload) {
  const upstream = await startUpstream();
  upstream.answerAll(value);
  const composition = defineComposition({
    route: 'GET /test',
    compose: () => ({ a: optional(call(part, { name: 'a' })) }),
  });
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const log = createLog({ level: 'warn', format: 'json', write: keep });
  const { plans } = compileAll([{ name: 'test', composition }]);
  const gateway = await startGateway({
    plans,
    host: '127.0.0.1',
    port: 0,
    addresses: addressesOf(plans, { UPSTREAM_URL: upstream.url }),
    overload,
    accessLog: { log, headers: [], withCauses: false },
    onInternalError: (error) => lines.push(String(error)),
  });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return { lines, ask: () => request(`${gateway.url}/test`) };
}

describe('the internal errors that a gateway reports', () => {
  it('do not include refused requests', async () => {
    const { ask, lines } = await startReporting(overloaded({ retryAfter: 1 }).overload);
    expect((await ask()).status).toBe(503);
    expect(lines).toEqual([]);
  });

  it('do not include steps that were left out', async () => {
    const { ask, lines } = await startReporting(overloaded().overload);
    expect((await ask()).json.a).toBeNull();
    expect(lines).toEqual([]);
  });
});
