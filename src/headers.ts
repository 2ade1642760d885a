/** Header names that several layers have to know, and what a header name may be. */

/**
 * How long the sender waits for the answer, in milliseconds: read from clients, sent to services.
 */
export const requestTimeoutHeader = 'x-request-timeout-ms';

/** Whether `name` is a token (RFC 9110, 5.6.2) in lower case. */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name);
}
