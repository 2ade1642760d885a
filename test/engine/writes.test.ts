/** Writes are never cut: what was sent runs to its own time, and the client is told what came of it. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { ignoredBody } from '../../src/dsl/ignored-body.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call, given, map } from '../../src/dsl/steps.ts';
import { Writes } from '../../src/engine/writes.ts';
import { UpstreamError } from '../../src/errors.ts';
import { items, list, part, quiet, serve, value, write } from '../support/serve.ts';
import type { Serving } from '../support/serve.ts';
import { startServer } from '../support/servers.ts';
import type { Arrival } from '../support/upstream.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const timeoutMs = 3_000;
const post: RequestInit = { method: 'POST' };

const slowWrite = operation(write.service, {
  name: 'slowWrite',
  route: 'POST /slow/:name',
  response: z.unknown(),
  timeoutMs: 500,
});

const remove = operation(write.service, {
  name: 'remove',
  route: 'DELETE /things/:name',
  response: z.unknown(),
  idempotent: true,
  retry: false,
});

const narrow = operation(write.service, {
  name: 'narrow',
  route: 'POST /narrow/:name',
  response: z.unknown(),
  maxBodyBytes: 20,
});

function noted(name: string) {
  return call(write, { name, body: { note: name } });
}

const pair = () => ({ order: noted('order'), invoice: noted('invoice') });

/** That the service still has the connection of a request that nobody has answered. */
async function goesOn(app: Serving, count = 1): Promise<void> {
  await quiet(app);
  expect(app.upstream.waiting()).toBe(count);
}

describe('a write whose sibling fails', () => {
  it('goes on, and the problem lists it when it was done in time', async () => {
    const app = await serve(pair, { route: 'POST /test' });
    const answer = app.ask(post);
    const invoice = await app.upstream.next('POST /writes/invoice');
    await app.upstream.answer('POST /writes/order', {}, 500);
    await goesOn(app);
    invoice.answer(value('I'), 201);
    const { status, json } = await answer;
    expect({ status, step: json.step }).toEqual({ status: 502, step: 'order' });
    expect(json.completed).toEqual([{ step: 'invoice', status: 201 }]);
    expect(json).not.toHaveProperty('uncertain');
  });

  it('is in neither list when it was refused', async () => {
    const app = await serve(pair, { route: 'POST /test' });
    const answer = app.ask(post);
    const invoice = await app.upstream.next('POST /writes/invoice');
    await app.upstream.answer('POST /writes/order', {}, 500);
    invoice.answer({}, 409);
    const { json } = await answer;
    expect(json).not.toHaveProperty('completed');
    expect(json).not.toHaveProperty('uncertain');
  });

  it('is waited for no longer than the deadline, and then uncertain', async () => {
    const app = await serve(pair, { route: 'POST /test', deadlineMs: 1_000 });
    const answer = app.ask(post);
    const invoice = await app.upstream.next('POST /writes/invoice');
    await app.upstream.answer('POST /writes/order', {}, 500);
    await quiet(app);
    app.clock.advance(1_000);
    const { json } = await answer;
    expect({ step: json.step, uncertain: json.uncertain }).toEqual({
      step: 'order',
      uncertain: ['invoice'],
    });
    await goesOn(app);
    invoice.answer(value('I'));
    await expect.poll(() => app.clock.pending).toBe(0);
    expect(app.internalErrors).toEqual([]);
  });

  it.each([
    ['breaks', (invoice: { reset(): void }) => invoice.reset()],
    ['runs out of its own time', (_: unknown, app: Serving) => app.clock.advance(timeoutMs)],
  ] as const)('is uncertain when it %s', async (_, end) => {
    const app = await serve(pair, { route: 'POST /test' });
    const answer = app.ask(post);
    const invoice = await app.upstream.next('POST /writes/invoice');
    await app.upstream.answer('POST /writes/order', {}, 500);
    await quiet(app);
    end(invoice, app);
    expect((await answer).json.uncertain).toEqual(['invoice']);
  });

  it('lets no other call start', async () => {
    const app = await serve(
      () => {
        const invoice = noted('invoice');
        return { order: noted('order'), after: call(part, { name: map(invoice, (i) => i.value) }) };
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    const invoice = await app.upstream.next('POST /writes/invoice');
    await app.upstream.answer('POST /writes/order', {}, 500);
    await quiet(app);
    invoice.answer(value('I'));
    await answer;
    await quiet(app);
    expect(app.upstream.asked()).toEqual(['POST /writes/invoice', 'POST /writes/order']);
  });

  it('is in neither list, and called off, while it waits for a place', async () => {
    const crowded = operation(
      { ...write.service, bulkhead: { concurrency: 1, queue: 5, waitMs: 9_000 } },
      { name: 'crowded', route: 'POST /crowded/:name', response: z.unknown() },
    );
    const app = await serve(
      () => ({ a: call(crowded, { name: 'a' }), b: call(crowded, { name: 'b' }) }),
      { route: 'POST /test', deadlineMs: 1_000 },
    );
    const answer = app.ask(post);
    await app.upstream.next('POST /crowded/a');
    await quiet(app);
    app.clock.advance(1_000);
    const { json } = await answer;
    expect(json.uncertain).toEqual(['a']);
    expect(app.upstream.asked()).toEqual(['POST /crowded/a']);
    app.clock.advance(timeoutMs);
  });
});

describe('a write whose request ends', () => {
  it('at the deadline goes on', async () => {
    const app = await serve(() => ({ order: noted('order') }), {
      route: 'POST /test',
      deadlineMs: 200,
    });
    const answer = app.ask(post);
    await app.upstream.next('POST /writes/order');
    app.clock.advance(200);
    const { status, json } = await answer;
    expect({ status, uncertain: json.uncertain }).toEqual({ status: 504, uncertain: ['order'] });
    await goesOn(app);
    app.clock.advance(timeoutMs - 200);
    await expect.poll(() => app.upstream.waiting()).toBe(0);
  });

  it('by a client that leaves goes on', async () => {
    const app = await serve(() => ({ order: noted('order'), a: call(part, { name: 'a' }) }), {
      route: 'POST /test',
    });
    const client = new AbortController();
    const gone = app.ask({ ...post, signal: client.signal }).catch((error: Error) => error.name);
    const order = await app.upstream.next('POST /writes/order');
    const read = await app.upstream.next('GET /parts/a');
    client.abort();
    expect(await gone).toBe('AbortError');
    await read.abandoned;
    await goesOn(app);
    order.answer(value('O'));
    await expect.poll(() => app.clock.pending).toBe(0);
  });

  it('is told its own time, not what is left of the request', async () => {
    const app = await serve(
      () => ({
        order: noted('order'),
        slow: call(slowWrite, { name: 's' }),
        a: call(part, { name: 'a' }),
      }),
      { route: 'POST /test', deadlineMs: 200 },
    );
    const answer = app.ask(post);
    const told = async (request: string) => {
      const arrival = await app.upstream.next(request);
      return arrival.headers['x-request-timeout-ms'];
    };
    expect(await told('POST /writes/order')).toBe('3000');
    expect(await told('POST /slow/s')).toBe('500');
    expect(await told('GET /parts/a')).toBe('200');
    app.clock.advance(200);
    await answer;
    app.clock.advance(timeoutMs);
  });
});

const noteBesideBad = () => ({ order: optional(noted('order')), bad: call(part, { name: 'bad' }) });

describe('a tolerated write', () => {
  it('that ends unknown says so in its entry', async () => {
    const app = await serve(() => ({ order: optional(noted('order')) }), { route: 'POST /test' });
    const answer = app.ask(post);
    (await app.upstream.next('POST /writes/order')).reset();
    const { status, json } = await answer;
    expect(status).toBe(200);
    expect(json.$problems).toMatchObject([{ pointer: '/order', status: 502, uncertain: true }]);
  });

  it('that runs past the deadline says so, too', async () => {
    const app = await serve(() => ({ order: optional(noted('order')) }), {
      route: 'POST /test',
      deadlineMs: 200,
    });
    const answer = app.ask(post);
    await app.upstream.next('POST /writes/order');
    app.clock.advance(200);
    expect((await answer).json.$problems).toMatchObject([{ status: 504, uncertain: true }]);
    app.clock.advance(timeoutMs);
  });

  it.each<[string, boolean, (order: Arrival) => void]>([
    ['under way', true, () => undefined],
    ['lost', true, (order) => order.reset()],
    ['done', false, (order) => order.answer(value('O'))],
    ['refused', false, (order) => order.answer({}, 409)],
  ])('is in the entry of the step that fails around it: one that is %s', async (_, is, end) => {
    const app = await serve(
      () => ({ row: optional(given(call(list, { name: 'l' }), noteBesideBad)) }),
      {
        route: 'POST /test',
      },
    );
    const answer = app.ask(post);
    await app.upstream.answer('GET /lists/l', items(1));
    const order = await app.upstream.next('POST /writes/order');
    end(order);
    await quiet(app);
    await app.upstream.answer('GET /parts/bad', {}, 500);
    const entry = { pointer: '/row', step: 'row', status: 502, ...(is && { uncertain: true }) };
    const [problem] = (await answer).json.$problems;
    expect({ ...problem, type: undefined, title: undefined }).toEqual(entry);
    app.clock.advance(timeoutMs);
  });

  it.each([409, 500])('that is refused with %i does not', async (status) => {
    const app = await serve(() => ({ order: optional(noted('order')) }), { route: 'POST /test' });
    const answer = app.ask(post);
    await app.upstream.answer('POST /writes/order', {}, status);
    const [problem] = (await answer).json.$problems;
    expect(problem).not.toHaveProperty('uncertain');
  });
});

describe('a write whose answer cannot be read', () => {
  it.each([
    ['another shape', 'POST /writes/a', () => noted('a'), { wrong: 1 }],
    ['too much', 'POST /narrow/a', () => call(narrow, { name: 'a' }), 'x'.repeat(100)],
  ] as const)('was done: %s', async (_, request, compose, body) => {
    const app = await serve(() => ({ a: compose() }), { route: 'POST /test' });
    const answer = app.ask(post);
    await app.upstream.answer(request, body, 201);
    const { status, json } = await answer;
    expect({ status, completed: json.completed }).toEqual({
      status: 502,
      completed: [{ step: 'a', status: 201 }],
    });
  });
});

describe('a write whose body does not matter', () => {
  const cancel = operation(write.service, {
    name: 'cancel',
    route: 'POST /cancel',
    response: ignoredBody,
  });

  it.each([
    [200, 'OK', {}],
    [201, '', {}],
    [202, '{"broken":', {}],
    [200, '\u0000', { 'content-encoding': 'gzip' }],
    [204, '', {}],
  ])('succeeds with %i and %j', async (status, body, headers) => {
    const server = await startServer(
      (_, response) => void response.writeHead(status, headers).end(body),
    );
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'POST /test',
          compose: () => ({ done: call(cancel, {}) }),
        }),
      },
      environment: { UPSTREAM_URL: server.url },
    });
    expect(await app.get('/test', post)).toMatchObject({ status: 200, json: { done: null } });
  });
});

describe('writes of an inner block', () => {
  it('inside given are waited for, too', async () => {
    const app = await serve(
      () => {
        const found = call(part, { name: 'p' });
        return {
          inner: given(found, () => ({ order: noted('order') })),
          invoice: noted('invoice'),
        };
      },
      { route: 'POST /test' },
    );
    const answer = app.ask(post);
    await app.upstream.answer('GET /parts/p', value('P'));
    const order = await app.upstream.next('POST /writes/order');
    await app.upstream.answer('POST /writes/invoice', {}, 500);
    await quiet(app);
    order.answer(value('O'));
    expect((await answer).json.completed).toEqual([{ step: 'inner.order', status: 200 }]);
  });
});

describe('a retried write', () => {
  it('is uncertain when an attempt was sent and nobody knows', async () => {
    const app = await serve(() => ({ gone: call(remove, { name: 'a' }) }), { route: 'POST /test' });
    const answer = app.ask(post);
    (await app.upstream.next('DELETE /things/a')).reset();
    expect((await answer).json.uncertain).toEqual(['gone']);
  });

  const again = operation(write.service, {
    name: 'again',
    route: 'PUT /again/:name',
    response: z.unknown(),
    idempotent: true,
    retry: { times: 1, minDelayMs: 1, maxDelayMs: 1 },
  });

  it.each<[string, string, (first: Arrival) => void, number, readonly string[] | undefined]>([
    ['uncertain', 'broke', (first) => first.reset(), 409, ['put']],
    ['uncertain', 'was answered 504', (first) => first.answer({}, 504), 412, ['put']],
    ['refused', 'was answered 503', (first) => first.answer({}, 503), 409, undefined],
  ])('is %s when its first attempt %s and its second is refused', async (...row) => {
    const [, , end, status, uncertain] = row;
    const app = await serve(() => ({ put: call(again, { name: 'a' }) }), {
      route: 'POST /test',
      realTime: true,
    });
    const answer = app.ask(post);
    end(await app.upstream.next('PUT /again/a'));
    await app.upstream.answer('PUT /again/a', {}, status);
    expect((await answer).json.uncertain).toEqual(uncertain);
  });
});

describe('a write that is answered by a proxy', () => {
  it.each([502, 504])('with %i is uncertain: the service may have done it', async (status) => {
    const app = await serve(() => ({ order: noted('order') }), { route: 'POST /test' });
    const answer = app.ask(post);
    await app.upstream.answer('POST /writes/order', {}, status);
    expect((await answer).json.uncertain).toEqual(['order']);
  });
});

describe('a read by POST', () => {
  const search = operation(write.service, {
    name: 'search',
    route: 'POST /search',
    body: z.object({ q: z.string() }),
    response: z.unknown(),
    safe: true,
  });

  it('is made once for the same body, and cut like a GET', async () => {
    const app = await serve(
      () => ({ a: call(search, { body: { q: 'x' } }), b: call(search, { body: { q: 'x' } }) }),
      { deadlineMs: 200 },
    );
    const answer = app.ask();
    const arrival = await app.upstream.next('POST /search');
    expect(arrival.headers['x-request-timeout-ms']).toBe('200');
    app.clock.advance(200);
    const { status, json } = await answer;
    expect(status).toBe(504);
    expect(json).not.toHaveProperty('uncertain');
    await arrival.abandoned;
    expect(app.upstream.asked()).toEqual(['POST /search']);
  });

  it('is retried', () => {
    expect([search.idempotent, search.safe]).toEqual([true, true]);
  });
});

/** A write of which some attempts were sent. */
function begun(attempts: number) {
  const writes = new Writes();
  const order = writes.begin({ step: { name: 'order' } });
  for (let attempt = 0; attempt < attempts; attempt += 1) order.onSent();
  return { writes, order };
}

describe('a write whose answer is not what its status says', () => {
  it('was not done by a 404 that means null, unless an earlier attempt may have done it', () => {
    for (const [attempts, uncertain] of [
      [1, []],
      [2, ['order']],
    ] as const) {
      const { writes, order } = begun(attempts);
      order.succeed(404);
      expect({ ...writes, uncertain: writes.uncertain }).toEqual({ completed: [], uncertain });
    }
  });

  it.each([
    [409, []],
    [503, []],
    [504, ['order']],
  ])('was done according to the status inside a 2xx: %d', (status, uncertain) => {
    const { writes, order } = begun(1);
    order.onAnswered(200);
    const facts = { service: 'shop', operation: 'post', status, isEnveloped: true };
    order.fail(new UpstreamError('status', 'answered 200 with a failure', facts));
    expect({ ...writes, uncertain: writes.uncertain }).toEqual({ completed: [], uncertain });
  });
});
