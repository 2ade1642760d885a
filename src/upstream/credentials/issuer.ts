/** Asks an issuer of tokens or keys, beside all services: on connections of its own, once. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { operation } from '../../dsl/declare-operation.ts';
import { defineService } from '../../dsl/service.ts';
import { AbortSource } from '../../signal.ts';
import { createAddress } from '../exchange/address.ts';
import type { HttpRequest } from '../exchange/request.ts';
import { statusError } from '../exchange/status-error.ts';
import { exchange } from '../exchange/transport.ts';
import type { RawReply } from '../exchange/transport.ts';
import { attemptTimeout } from '../resilience/attempt-timeout.ts';

export interface IssuerOptions {
  /** The thing that it is asked for, for messages. */
  readonly name: 'token' | 'keys';
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly connections: number;
  readonly clock: Clock;
}

export interface Issuer {
  /** @throws UpstreamError where there is no answer. */
  send(request: HttpRequest): Promise<RawReply>;
  /** The error of an answer that is not a 2xx. */
  errorOf(reply: RawReply): Error;
  /** Breaks the connections. */
  close(): Promise<void>;
}

export function openIssuer(options: IssuerOptions): Issuer {
  const { name, method, url, timeoutMs, maxBodyBytes, connections, clock } = options;
  const service = defineService({ name: `${name}-issuer`, url: url.origin });
  const asked = operation(service, {
    name,
    route: `${method} /${name}`, // the path is that of `url`
    response: z.unknown(),
    timeoutMs,
    maxBodyBytes,
  });
  const address = createAddress(service, new URL(url.origin), { connections });
  const startTimeout = attemptTimeout(clock);
  const stopped = new AbortSource();
  return {
    async send(request) {
      const { signal, onEnd } = startTimeout({ operation: asked, signal: stopped });
      try {
        return await exchange({ operation: asked, address, signal, readsFailures: true }, request);
      } finally {
        onEnd();
      }
    },
    errorOf: (reply) => statusError({ operation: asked, headers: {} }, reply, clock.epoch()),
    async close() {
      stopped.abort(new Error('the gateway stops'));
      await address.destroy();
    },
  };
}
