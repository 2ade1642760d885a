/** By which id it is decided whether a request is recorded. */
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startTraced } from './_traced.ts';

const { telemetry, sink } = await startTraced({
  environment: {
    NODE_ENV: 'production',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
  },
});

/** Whether another service, or a collector, would record the trace by the same ratio. */
function isSampled(traceId: string): boolean {
  const sampler = new TraceIdRatioBasedSampler(0.5);
  const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

it('the id that a trace has decides whether it is recorded, here as elsewhere', async () => {
  const app = await startWithMocks({ compositions: {}, telemetry });
  const ids: string[] = [];
  for (let request = 0; request < 40; request += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    ids.push((await app.get('/nowhere')).json.traceId);
  }
  expect(new Set(ids).size).toBe(40);
  const sampled = ids.filter(isSampled);
  await sink.waitFor(sampled.length);
  expect(sink.spans.map(({ traceId }) => traceId)).toEqual(sampled);
});
