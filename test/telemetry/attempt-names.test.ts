/** The names of attempts, by which Jaeger's Monitor groups them. */
import { call, defineComposition, defineService, operation } from 'plait';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startUpstream } from '../support/upstream.ts';
import { clientTrace, startTraced } from './_traced.ts';

const { telemetry, expectTrace } = await startTraced({
  environment: { TRUSTED_PEERS: '127.0.0.0/8' },
});

const [billing, payments] = ['billing', 'payments'].map((name) =>
  defineService({ name, url: { env: 'UPSTREAM_URL' } }),
);

it('carry the service where two services have the same method and template', async () => {
  if (billing === undefined || payments === undefined) throw new Error('a service is missing');
  const get = (service: typeof billing, route: `GET /${string}`, name: string) =>
    call(operation(service, { name, route, response: z.null() }), {});
  const composition = defineComposition({
    route: 'GET /test',
    compose: () => ({
      one: get(billing, 'GET /state', 'state'),
      other: get(payments, 'GET /state', 'state'),
      own: get(payments, 'GET /own', 'own'),
    }),
  });
  const upstream = await startUpstream();
  upstream.answerAll(() => null);
  const { get: ask } = await startWithMocks({
    compositions: { composition },
    telemetry,
    environment: { UPSTREAM_URL: upstream.url },
  });
  const { traceId, headers } = clientTrace();
  expect((await ask('/test', { headers })).status).toBe(200);
  await expectTrace(traceId)`
    SERVER GET /test  status=200
      INTERNAL step one
        CLIENT GET /state (billing)  status=200
      INTERNAL step other
        CLIENT GET /state (payments)  status=200
      INTERNAL step own
        CLIENT GET /own  status=200
  `;
});
