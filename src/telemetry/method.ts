/** `http.request.method` (OpenTelemetry): bounds the label, whatever method a client sends. */

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The method, or `_OTHER`: clients could otherwise create labels without end. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : '_OTHER';
}
