/** A stop waits for writes that nobody waits for, within its limit, and says what it cut. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../src/dsl/declare-operation.ts';
import { createGateway } from '../src/gateway.ts';
import { defineComposition } from '../src/dsl/composition.ts';
import { call } from '../src/dsl/steps.ts';
import { compileAll } from '../src/plan/compile.ts';
import { createFakeClock } from './support/fake-clock.ts';
import { startServer } from './support/servers.ts';
import { openShop, turn } from './support/upstream-calls.ts';

async function startWriting() {
  const clock = createFakeClock();
  const held: (() => void)[] = [];
  const server = await startServer((_, response) => void held.push(() => response.end('null')));
  const shop = openShop({ url: server.url, clock });
  const write = operation(shop.service, { route: 'POST /orders', response: z.unknown() });
  const read = operation(shop.service, { route: 'GET /orders', response: z.unknown() });
  return { clock, held, shop, write, read };
}

describe('a stop', () => {
  it('waits until the last write has ended', async () => {
    const { held, shop, write, read } = await startWriting();
    const calls = [shop.call(write, {}, undefined), shop.call(read, {}, undefined)];
    await expect.poll(() => held.length).toBe(2);
    let left: readonly string[] | undefined;
    void shop.upstreams.settleWrites(5_000).then((names) => (left = names));
    await turn();
    expect(left).toBeUndefined();
    for (const answer of held) answer();
    await Promise.all(calls);
    await expect.poll(() => left).toEqual([]);
  });

  it('waits for its limit, and names what is left', async () => {
    const { clock, held, shop, write } = await startWriting();
    shop.call(write, {}, undefined).catch(() => undefined);
    await expect.poll(() => held.length).toBe(1);
    const left = shop.upstreams.settleWrites(2_000);
    clock.advance(2_000);
    expect(await left).toEqual(['shop.postOrders']);
  });

  it('does not wait for reads', async () => {
    const { held, shop, read } = await startWriting();
    shop.call(read, {}, undefined).catch(() => undefined);
    await expect.poll(() => held.length).toBe(1);
    expect(await shop.upstreams.settleWrites(2_000)).toEqual([]);
  });

  it('of a gateway reports what it cuts', async () => {
    const clock = createFakeClock();
    const { shop, write, held } = await startWriting();
    const cut: (readonly string[])[] = [];
    const composition = defineComposition({
      route: 'POST /test',
      deadlineMs: 100,
      compose: () => ({ order: call(write, {}) }),
    });
    const gateway = createGateway({
      plans: compileAll([{ name: 'test', composition }]).plans,
      addresses: new Map([['shop', [new URL(String(shop.service.url))]]]),
      clock,
      onWritesCut: (operations) => cut.push(operations),
    });
    const answer = gateway.app.request('/test', { method: 'POST', headers: { host: 'gateway' } });
    await expect.poll(() => held.length).toBe(1);
    clock.advance(100);
    expect((await answer).status).toBe(504);
    const settled = gateway.settleWrites(1_000);
    clock.advance(1_000);
    await settled;
    expect(cut).toEqual([['shop.postOrders']]);
    await gateway[Symbol.asyncDispose]();
  });
});
