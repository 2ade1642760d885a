/** The method of a request, as spans, metrics and logs show it. */

/** The methods that OpenTelemetry's conventions know (RFC 9110, RFC 5789, and QUERY). */
const methods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'QUERY',
]);

/** `http.request.method`: `_OTHER` bounds the label, whatever method a client sends. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : '_OTHER';
}

/** The method in the name of a span, which is `HTTP` for one that is not known. */
export function namedMethod(method: string): string {
  return methods.has(method) ? method : 'HTTP';
}

/** HTTP/2 takes a text of any length. */
const longestMethod = 32;

/** The method as it was sent, but not more of it than an operator has to read. */
export function shownMethod(method: string): string {
  return method.slice(0, longestMethod);
}
