/** Percent-encoding (RFC 3986, 2.1) in targets of requests. */

/** Whether all escapes of a text are whole, and its characters UTF-8. */
export function isDecodable(text: string): boolean {
  if (!text.includes('%')) return true;
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
