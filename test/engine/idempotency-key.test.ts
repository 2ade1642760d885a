/** A key for every write, made from the client's. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { call, each } from '../../src/dsl/steps.ts';
import { write } from '../support/serve.ts';
import { startServer } from '../support/servers.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const options = { body: z.unknown(), response: z.unknown(), idempotencyKey: 'derived' } as const;
const charge = operation(write.service, {
  name: 'charge',
  route: 'POST /charge',
  ...options,
  idempotent: true,
  retry: { times: 1, minDelayMs: 0, maxDelayMs: 0 },
});
const refund = operation(write.service, { name: 'refund', route: 'POST /refund', ...options });

const compositions = {
  all: defineComposition({
    route: 'POST /all',
    body: z.object({ rows: z.array(z.object({ ids: z.array(z.string()) })) }),
    compose: ({ body }) => ({
      one: call(charge, { body: 'same' }),
      two: call(charge, { body: 'same' }),
      other: call(refund, { body: 'same' }),
      rows: each(body.rows, ({ ids }) => each(ids, () => call(charge, { body: 'same' }))),
    }),
  }),
};

async function start() {
  let failing = 0;
  const server = await startServer((_, response) => {
    response.writeHead(failing-- > 0 ? 503 : 200).end('1');
  });
  const app = await startWithMocks({ compositions, environment: { UPSTREAM_URL: server.url } });
  return {
    fail: (times: number) => (failing = times),
    async keys(headers: Readonly<Record<string, string>>) {
      const before = server.requests.length;
      await app.get('/all', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ rows: [{ ids: ['a', 'b'] }, { ids: ['a', 'b'] }] }),
      });
      const sent = server.requests.slice(before).map((one) => one.headers['idempotency-key']);
      return sent.map((key) => String(key)).toSorted();
    },
  };
}

describe('derived keys', () => {
  it('differ between operations, steps and items, and are the same the next time', async () => {
    const { keys } = await start();
    const first = await keys({ 'idempotency-key': 'k1' });
    expect(new Set(first).size).toBe(7);
    expect(await keys({ 'idempotency-key': 'k1' })).toEqual(first);
    expect(first.join(' ')).not.toContain('k1');
  });

  it('differ between clients and between their keys', async () => {
    const { keys } = await start();
    const sets = [
      await keys({ 'idempotency-key': 'k1' }),
      await keys({ 'idempotency-key': 'k2' }),
      await keys({ 'idempotency-key': 'k1', authorization: 'Bearer a' }),
      await keys({ 'idempotency-key': 'k1', authorization: 'Bearer b' }),
      await keys({ 'idempotency-key': 'k1', cookie: 'Bearer b' }),
    ];
    expect(new Set(sets.flat()).size).toBe(5 * 7);
  });

  it('stay the same over a retry', async () => {
    const { keys, fail } = await start();
    fail(1);
    const sent = await keys({ 'idempotency-key': 'k1' });
    expect(sent.length).toBeGreaterThanOrEqual(7);
    expect(new Set(sent).size).toBe(7);
  });

  it('are not there without a key of the client', async () => {
    const { keys } = await start();
    expect(new Set(await keys({}))).toEqual(new Set(['undefined']));
  });

  it('are refused for a read', () => {
    const read = { route: 'GET /x', response: z.unknown(), idempotencyKey: 'derived' } as const;
    expect(() => operation(write.service, read)).toThrow(
      'upstream.getX: a read needs no idempotencyKey. Remove it.',
    );
  });
});
