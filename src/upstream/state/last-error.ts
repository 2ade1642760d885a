/** The last error of a service or of an address, as an operator may see it. */
import { isoOf } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { operationName } from '../../dsl/operation.ts';
import { errorCode } from '../../errors.ts';
import type { UpstreamError } from '../../errors.ts';
import type { Trace } from '../../trace.ts';
import type { Dispatch } from '../call.ts';

/** Names, a status and a time: never a key, a body, a message or a secret. */
export interface LastError {
  /** The kind of the `UpstreamError`. */
  readonly kind: UpstreamError['kind'];
  /** The status of the service's answer, if there was one. */
  readonly status?: number;
  /** The code of Node or OpenSSL, as in `ECONNREFUSED`. */
  readonly code?: string;
  /** As in `payments.getPayment`. */
  readonly operation: string;
  /** `host:port`, or the path of a socket; absent: the call was not sent. */
  readonly address?: string;
  /** When it happened, in ISO 8601. */
  readonly at: string;
  /** The trace of the request on whose behalf it was called, if it has one. */
  readonly traceId?: string;
}

export interface ErrorReading {
  readonly clock: Pick<Clock, 'epoch'>;
  /** Reads the id of a trace, which only telemetry can open. */
  readonly traceIdOf: (trace: Trace) => string | undefined;
}

export function lastErrorOf(
  { operation, trace }: Dispatch,
  failure: UpstreamError,
  { clock, traceIdOf, address }: ErrorReading & { readonly address?: string },
): LastError {
  const traceId = trace && traceIdOf(trace);
  return {
    ...wordsOf(failure),
    operation: operationName(operation),
    ...(address !== undefined && { address }),
    at: isoOf(clock.epoch()),
    ...(traceId !== undefined && { traceId }),
  };
}

/** The words of a failure, without its place and time. */
export function wordsOf(failure: UpstreamError): Pick<LastError, 'kind' | 'status' | 'code'> {
  const { kind, status } = failure;
  const code = shownCode(failure);
  return { kind, ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
}

/** Of words in capitals only, since causes may come from anywhere. */
function shownCode({ cause }: UpstreamError): string | undefined {
  const code = errorCode(cause);
  return code !== undefined && /^[A-Z][A-Z\d_]{1,63}$/.test(code) ? code : undefined;
}
