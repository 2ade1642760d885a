import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { defineComposition } from '../../src/dsl/composition.ts';
import { unrestricted } from '../../src/engine/response-freshness.ts';
import type { Admission, RequestFacts } from '../../src/http/admission.ts';
import { createApp } from '../../src/http/app.ts';
import { compositionRoutes } from '../../src/http/endpoint.ts';
import type { RequestRecord } from '../../src/http/request-record.ts';
import { compile } from '../../src/plan/compile.ts';

const composition = defineComposition({ route: 'GET /things/:id', compose: () => ({}) });

/** An app with one composition behind `admit`; counts what is executed, and keeps the last record. */
function appBehind(admit: Admission) {
  const seen: { executed: number; record?: RequestRecord } = { executed: 0 };
  const app = createApp({
    clock: systemClock,
    watchers: [(c) => () => void (seen.record = c.get('record'))],
    outerLayers: [],
    layers: [],
    readiness: () => 'ok',
    onInternalError: () => undefined,
    routes: compositionRoutes([compile({ name: 'things', composition })], {
      clock: systemClock,
      notServed: [],
      isDevelopment: false,
      unknownQuery: 'refuse',
      identifyFor: () => () => ({ denied: 'unauthenticated', challenges: '' }),
      basePath: '',
      admit,
      execute: async () => {
        seen.executed += 1;
        return {
          kind: 'answered',
          value: {},
          beside: undefined,
          degraded: [],
          freshness: unrestricted,
          sent: 0,
          completed: [],
          uncertain: [],
        };
      },
    }),
  });
  return { app, seen };
}

describe('admission', () => {
  it('is asked once for each request, with its facts and the plan that was found', async () => {
    const asked: { plan: string; facts: RequestFacts }[] = [];
    const { app, seen } = appBehind((facts, plan) => void asked.push({ plan: plan.name, facts }));
    await app.request('/things/7', { headers: { authorization: 'Bearer abc' } });
    expect(asked.map(({ plan }) => plan)).toEqual(['things']);
    expect(asked[0]?.facts.header('authorization')).toBe('Bearer abc');
    expect(seen.executed).toBe(1);
  });

  it('is not asked about a request without a composition', async () => {
    let asked = 0;
    const { app } = appBehind(() => void (asked += 1));
    for (const path of ['/nothing', '/livez', '/readyz']) await app.request(path);
    await app.request('/things/7', { method: 'DELETE' });
    expect(asked).toBe(0);
  });

  it.each([
    [
      'at once',
      () => ({ kind: 'overload', limit: 'SHED_DELAY_MS', retryAfterSeconds: 3 }) as const,
    ],
    [
      'later',
      async () => ({ kind: 'overload', limit: 'SHED_DELAY_MS', retryAfterSeconds: 3 }) as const,
    ],
  ])('may refuse %s: the request is not executed, and its record says why', async (_, admit) => {
    const { app, seen } = appBehind(admit);
    const response = await app.request('/things/7');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '3']);
    expect(seen).toMatchObject({
      executed: 0,
      record: { refusal: { kind: 'overload' }, composition: 'things', error: undefined },
    });
  });

  it('makes an internal error of its own failure', async () => {
    const { app, seen } = appBehind(() => Promise.reject(new Error('canary-4711')));
    const response = await app.request('/things/7');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('canary-4711');
    expect(seen.executed).toBe(0);
  });
});
