import { describe, expect, it } from 'vitest';
import { call } from '../../src/dsl/steps.ts';
import { combine } from '../../src/telemetry/telemetry.ts';
import { part, serve, value } from '../support/serve.ts';

describe('combined observers', () => {
  it('are all told when a call has ended, in order', async () => {
    const told: string[] = [];
    const telemetry = combine([
      { onCallEnd: ({ operation }) => void told.push(`first ${operation.name}`) },
      { onCallEnd: ({ operation }) => void told.push(`second ${operation.name}`) },
    ]);
    const app = await serve(() => ({ a: call(part, { name: 'a' }) }), { telemetry });
    app.upstream.answerAll(() => value('A'));
    await app.ask();
    expect(told).toEqual(['first part', 'second part']);
  });

  it('watch requests in order, the first one outermost', async () => {
    const order: string[] = [];
    const observer = (name: string) => ({
      watchRequests: [
        () => {
          order.push(`${name} begins`);
          return () => void order.push(`${name} ends`);
        },
      ],
    });
    const telemetry = combine([observer('first'), observer('second')]);
    const app = await serve(() => ({ fixed: true }), { telemetry });
    await app.ask();
    expect(order).toEqual(['first begins', 'second begins', 'second ends', 'first ends']);
  });
});
