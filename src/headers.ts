/** Names of headers (RFC 9110, 5.1). */

/** Request headers by which a client says who it is, and proves it. */
export const credentialHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'dpop',
  'api-key',
  'x-api-key',
  'x-auth-token',
  'x-access-token',
]);

/** Whether `name` is a token (RFC 9110, 5.6.2) in lower case. */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name);
}
