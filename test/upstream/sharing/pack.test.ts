import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/clock.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { toHttpRequest } from '../../../src/upstream/exchange/request.ts';
import type { Dispatch } from '../../../src/upstream/call.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { startSocketServer } from '../../support/servers.ts';
import { callOf, callerOf, nowhere, ok, oneByOne, openShop } from '../../support/upstream-calls.ts';

const item = z.object({ id: z.string() });
const query = z.object({ tag: z.array(z.string()).optional() });
const Note = z.object({ note: z.string().transform((text) => `${text}€`) });
const prefix = '/shop/v2';

/** The bytes that bound a batch, as they will be on the wire. */
function bytesOf(dispatch: Dispatch): number {
  const { method, target, body } = toHttpRequest(dispatch, systemClock);
  return Buffer.byteLength(body ?? `${method} ${prefix}${target} HTTP/1.1\r\n`);
}

const styles = [
  { route: 'GET /p', keys: { query: 'ids' }, bound: 'maxRequestLineBytes' },
  { route: 'GET /p', keys: { query: 'é d', repeat: true }, bound: 'maxRequestLineBytes' },
  { route: 'POST /p', keys: { body: 'ids' }, bound: 'maxRequestBodyBytes' },
  { route: 'GET /p/:place', keys: { query: 'ids' }, bound: 'maxRequestLineBytes' },
  { route: 'POST /p', keys: { body: 'é.ids' }, body: Note, bound: 'maxRequestBodyBytes' },
] as const;

const key = fc
  .string({
    unit: fc.constantFrom('a', '7', ' ', '"', 'é', '€', '😀', '\n'),
    minLength: 1,
    maxLength: 40,
  })
  .filter((text) => text.isWellFormed());

/** Sends batches to a service that has no items, and keeps what was sent. */
function batching() {
  const sent: Dispatch[] = [];
  const sendLoad = batch(
    createFakeClock(),
    async (call) => {
      sent.push(call);
      return { ...ok, value: [] };
    },
    { prefixOf: () => prefix },
  );
  return { sent, sendLoad };
}

describe('the batches of a lookup', () => {
  it('stay within their limits of bytes and keys, unless one key alone exceeds them', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.uniqueArray(key, { minLength: 1, maxLength: 40 }),
        fc.record({
          style: fc.constantFrom(...styles),
          max: fc.integer({ min: 1, max: 12 }),
          bytes: fc.integer({ min: 80, max: 500 }),
          tag: fc.option(fc.array(key, { maxLength: 2 }), { nil: undefined }),
        }),
        async (keys, { style, max, bytes, tag }) => {
          const { bound, ...place } = style;
          const own = lookup(nowhere, { ...place, by: 'id', item, query, max, [bound]: bytes });
          const { sent, sendLoad } = batching();
          const shared = {
            tag,
            ...('body' in place && { body: { note: String(tag) } }),
            ...(place.route.includes(':') && { place: 'é' }),
          };
          await Promise.all(keys.map((id) => oneByOne(sendLoad)(callOf(own, { id, ...shared }))));
          expect(sent.flatMap((call) => call.keys ?? []).toSorted()).toEqual(keys.toSorted());
          const alone = keys.filter((one) => {
            const [first] = sent;
            return first !== undefined && bytesOf({ ...first, keys: [one] }) > bytes;
          });
          const full = sent.filter(({ keys: [one] = [] }) => !alone.includes(String(one)));
          const longest = sent.map(({ keys: those = [] }) => those.length);
          expect(Math.max(...longest)).toBeLessThanOrEqual(max);
          expect(sent.length - full.length).toBe(alone.length);
          for (const call of full) expect(bytesOf(call)).toBeLessThanOrEqual(bytes);
          // No two that follow each other would have fitted in one: neither bound leaves room.
          for (const [at, call] of full.slice(1).entries()) {
            const before = full[at]?.keys ?? [];
            const together = { ...call, keys: [...before, call.keys?.[0]] };
            expect(before.length === max || bytesOf(together) > bytes).toBe(true);
          }
        },
      ),
    );
  });

  it.each([
    { route: 'GET /p', keys: { query: 'ids', join: '::' }, maxRequestLineBytes: 200 },
    { route: 'GET /p', keys: { query: 'id', repeat: true, join: '.' }, maxRequestLineBytes: 200 },
    {
      route: 'GET /p',
      keys: { query: 'id', join: '.' },
      limit: { query: 'lim' },
      maxRequestLineBytes: 200,
    },
    { route: 'POST /p', keys: { body: 'ids' }, maxRequestBodyBytes: 200 },
    { route: 'POST /p', keys: { body: 'ids', join: '|' }, maxRequestBodyBytes: 200 },
  ] as const)('stay within them with compound keys, as in %j', async (style) => {
    const parts = fc.tuple(key, fc.oneof(fc.integer(), key));
    const own = lookup(nowhere, {
      ...style,
      by: ['shop', 'id'],
      item: item.extend({ shop: z.string() }),
    });
    await assertProperty(
      fc.asyncProperty(fc.uniqueArray(parts, { minLength: 1, maxLength: 20 }), async (keys) => {
        const { sent, sendLoad } = batching();
        const load = openLoad({ call: callOf(own), keys, failsAtOnce: false }, sendLoad);
        await load.done;
        expect(load.failures).toBeUndefined();
        const distinct = new Set(keys.map((one) => JSON.stringify(one.map(String))));
        expect(sent.flatMap((call) => call.keys ?? []).length).toBe(distinct.size);
        const full = sent.filter((call) => call.keys?.length !== 1);
        for (const call of full) expect(bytesOf(call)).toBeLessThanOrEqual(200);
      }),
      { full: 400 },
    );
  });

  it('with few long keys do not split those of other client requests', async () => {
    const own = lookup(nowhere, { route: 'GET /p', keys: { query: 'ids' }, by: 'id', item });
    const sent: Dispatch[] = [];
    const sendLoad = batch(createFakeClock(), async (call) => {
      sent.push(call);
      return { ...ok, value: [] };
    });
    const ids = ['a', '€'.repeat(900), 'b', '€'.repeat(901), 'c'];
    await Promise.all(
      ids.map((id) => oneByOne(sendLoad)(callOf(own, { id }, { caller: callerOf() }))),
    );
    expect(sent.map(({ keys = [] }) => keys.map((one) => String(one).length))).toEqual([
      [1, 1, 1],
      [900],
      [901],
    ]);
  });
});

describe('a lookup over a real connection', () => {
  it('sends no request line over 7 KiB, including path prefix and other parameters', async () => {
    const { url, requests } = await startSocketServer((socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]'),
    );
    const { service, call } = openShop({ url: `${url}/a/long/way/down` });
    const own = lookup(service, { route: 'GET /p', keys: { query: 'ids' }, by: 'id', item, query });
    const tag = ['x'.repeat(3_000)];
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        call(own, { id: `${index}-${'x'.repeat(87)}`, tag }, undefined),
      ),
    );
    const lines = requests.map((request) => `${request.split('\r\n', 1)[0]}\r\n`);
    expect(lines.length).toBe(3);
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(7_168);
    expect(lines[0]).toMatch(/^GET \/a\/long\/way\/down\/p\?tag=x+&ids=/);
  });
});
