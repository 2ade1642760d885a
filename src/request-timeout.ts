/**
 * `X-Request-Timeout-Ms`, both ways: clients say how long they wait (`http/endpoint` reads it), and
 * services are told how much of that is left (`upstream/exchange/request` writes it). It is never
 * forwarded as it came (`dsl/service`).
 */

export const requestTimeoutHeader = 'x-request-timeout-ms';

/** A client's own limit, in milliseconds; `undefined` when it gives none, or no whole number. */
export function readRequestTimeout(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

/** For a service: whole milliseconds, never more than are left. */
export function writeRequestTimeout(leftMs: number): string {
  return String(Math.max(0, Math.floor(leftMs)));
}
