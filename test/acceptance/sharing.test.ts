import { describe, expect, it } from 'vitest';
import { orders, payments } from '../../mocks/data.ts';
import { startShipped } from '../support/shipped.ts';

const crowd = Array.from({ length: 500 }, (_, index) => index);
const services = ['orders', 'payments', 'shipping'] as const;

/** A gateway that 500 clients are connected to already: connecting takes them many turns of the event loop. */
async function start(latencyMs: number) {
  const gateway = await startShipped();
  const everywhere = (ms: number): void => {
    for (const name of services) gateway.mocks[name].fault([{ match: '*', latencyMs: ms }]);
  };
  everywhere(700);
  // A connection that is free again is used again, so one round does not make five hundred.
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(crowd.map(() => gateway.get('/orders/ord_1001/summary')));
  }
  for (const name of services) gateway.mocks[name].reset();
  everywhere(latencyMs);
  return {
    ask: (id: string) => gateway.get(`/orders/${id}/summary`),
    counts: () => services.map((name) => gateway.paths(name).length),
  };
}

describe('five hundred summaries at once', () => {
  it('of one order are one request to each service', async () => {
    const gateway = await start(500);
    const answers = await Promise.all(crowd.map(() => gateway.ask('ord_1001')));
    expect(answers.map(({ status }) => status)).toEqual(crowd.map(() => 200));
    expect(new Set(answers.map(({ json }) => JSON.stringify(json))).size).toBe(1);
    expect(gateway.counts()).toEqual([1, 1, 1]);
  });

  it('of many orders are few requests where many keys are one, and each answer is right', async () => {
    const gateway = await start(50);
    const ids = crowd.map((index) => orders[index % orders.length]?.id ?? '');
    const answers = await Promise.all(ids.map((id) => gateway.ask(id)));
    expect(answers.map(({ status }) => status)).toEqual(crowd.map(() => 200));
    expect(answers.map(({ json }) => json.order.id)).toEqual(ids);
    expect(answers.map(({ json }) => json.payment)).toEqual(
      ids.map((id) => payments.find(({ orderId }) => orderId === id) ?? null),
    );
    const [, asked, shipped] = gateway.counts();
    expect(asked).toBeLessThanOrEqual(20);
    expect(shipped).toBeLessThanOrEqual(20);
  });
});
