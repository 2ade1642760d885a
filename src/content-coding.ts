/** `Content-Encoding` (RFC 9110, 8.4): the codings of a body. */

/** Names for a body that is not encoded. Only the first is registered, but all three are sent. */
const unencoded = new Set(['identity', 'none', '']);

/** The codings in the order in which they were applied, in lower case, without `identity`. */
export function codingsOf(field: string | readonly string[] | undefined): readonly string[] {
  if (field === undefined) return [];
  return String(field)
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !unencoded.has(coding));
}
