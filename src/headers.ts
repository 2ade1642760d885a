/** Names of headers (RFC 9110, 5.1). */

/** Whether `name` is a token (RFC 9110, 5.6.2) in lower case. */
export function isHeaderName(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name);
}
