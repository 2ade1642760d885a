/** Values of headers (RFC 9110, 5.5), of requests to services and of responses to clients. */

/** Visible ASCII, with spaces and tabs between: no CR, LF or NUL, and nothing beyond ASCII. */
const sendable = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * Why `text` cannot be the value of a header; `undefined` if it can. A value is neither changed nor
 * encoded: with a line break in it, it would be read as further headers (header injection). The
 * problem quotes nothing of the value.
 */
export function headerValueProblem(text: string): string | undefined {
  if (sendable.test(text)) return undefined;
  const at = text.search(/[^\t\x20-\x7e]/);
  if (at === -1) return 'begins or ends with white space, which a header cannot carry';
  return `has a character that a header cannot carry, at position ${at + 1}`;
}
