/** `plait upstreams`: how the services of a running gateway are. */
import { z } from 'zod';
import { toSafeJson } from '../telemetry/log-format.ts';
import { askAdmin } from './ask-admin.ts';
import { drawUpstreams } from './draw-upstreams.ts';
import { paint } from './paint.ts';

export interface UpstreamsOptions {
  /** The URL of the gateway's management side, as in its line `admin …`. */
  readonly adminUrl: string;
  readonly json: boolean;
}

const LastError = z.looseObject({
  kind: z.string(),
  status: z.number().exactOptional(),
  code: z.string().exactOptional(),
  operation: z.string(),
  at: z.string(),
  traceId: z.string().exactOptional(),
});

const Service = z.looseObject({
  service: z.string(),
  attempts: z.looseObject({
    total: z.number(),
    failed: z.number(),
    failedShare: z.number(),
    notSent: z.number(),
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
  }),
  lastError: LastError.exactOptional(),
  breaker: z.string(),
  breakerSince: z.string().exactOptional(),
  bulkhead: z.looseObject({ inFlight: z.number(), waiting: z.number() }),
  endpoints: z.array(
    z.looseObject({
      address: z.string(),
      state: z.string(),
      since: z.string(),
      inFlight: z.number(),
      lastError: LastError.exactOptional(),
    }),
  ),
});

const Issuer = z.looseObject({
  issuers: z.array(z.string()),
  address: z.string(),
  state: z.string(),
  fetchedAt: z.string().exactOptional(),
  lastError: LastError.omit({ operation: true }).exactOptional(),
});

const Answer = z.looseObject({
  upstreams: z.array(Service),
  issuers: z.array(Issuer).exactOptional(),
  notServed: z
    .array(
      z.looseObject({
        composition: z.string(),
        route: z.string().exactOptional(),
        reason: z.string(),
      }),
    )
    .exactOptional(),
});

export async function upstreams({ adminUrl, json }: UpstreamsOptions): Promise<void> {
  const absent = 'does not say how its services are: it may be of an earlier version.';
  const state = await askAdmin({ adminUrl, path: '/upstreams', answer: Answer, absent });
  console.log(json ? toSafeJson(JSON.stringify(state)) : paint(drawUpstreams(state, Date.now())));
}
