import { call, defineComposition, each, map, optional } from 'plait';
import { describe, expect, it } from 'vitest';
import { getOrder, listOrders } from '../../compositions/upstreams/orders.ts';
import { paymentOf } from '../../compositions/upstreams/payments.ts';
import { reportFailures } from '../../src/telemetry/report.ts';
import { unobserved } from '../../src/telemetry/telemetry.ts';
import { start } from '../start.ts';

const order = defineComposition({
  route: 'GET /orders/:orderId',
  compose({ params }) {
    const found = call(getOrder, { orderId: params.orderId });
    return { total: map(found, ({ items }) => items[99]!.quantity) }; // eslint-disable-line typescript/no-non-null-assertion -- the mistake
  },
});

const list = defineComposition({
  route: 'GET /list',
  compose: () => ({
    rows: each(call(listOrders, { customerId: 'cus_1', limit: 5 }).items, ({ id }) => ({
      payment: optional(call(paymentOf, { orderId: id })),
    })),
  }),
});

async function startReporting(withCauses = false) {
  const lines: string[] = [];
  const report = reportFailures({ write: (line) => lines.push(line), withCauses });
  const app = await start({
    compositions: { order, list },
    telemetry: { ...unobserved, aroundHandler: report },
  });
  return { app, lines };
}

const headers = { 'x-request-id': 'r1' };

describe('the report', () => {
  it('says which field of which answer did not fit, and whose request it was', async () => {
    const { app, lines } = await startReporting();
    app.mocks.orders.fault([{ match: '*', body: { id: 7 } }]);
    await app.get('/orders/ord_1001', { headers });
    expect(lines).toEqual([
      '502 GET /orders/{orderId} [r1] step "getOrder": orders.getOrder: answered 200, but /id in its body does not fit the schema: Invalid input: expected string, received number',
    ]);
  });

  it('has one line for what is missing in every item of a list', async () => {
    const { app, lines } = await startReporting();
    app.mocks.payments.fault([{ match: '*', status: 503 }]);
    await app.get('/list', { headers });
    expect(lines).toEqual([
      '200 GET /list [r1] degraded: step "rows.payment": payments.paymentOf: answered 503',
    ]);
  });

  it('adds the place in the code where it may', async () => {
    const { app, lines } = await startReporting(true);
    await app.get('/orders/ord_1001', { headers });
    expect(lines.length).toBe(1);
    expect(lines[0]).toMatch(
      /^500 GET .* step "total": the function given to map\(\) threw \(TypeError\)\n/,
    );
    expect(lines[0]).toMatch(
      /TypeError: Cannot read properties of undefined[^\n]*\n {4}at .*report\.test\.ts/,
    );
  });

  it("is silent about what is as it should be, or is the client's affair", async () => {
    const { app, lines } = await startReporting();
    await app.get('/list');
    await app.get('/orders/nope');
    await app.get('/nowhere');
    await app.get('/list?x=1');
    expect(lines).toEqual([]);
  });
});
