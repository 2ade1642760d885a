/** `http.request.method` (OpenTelemetry): one of a few words, whatever a client sends. */

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Any word can be a method: a client could make as many labels as it likes. */
export function knownMethod(method: string): string {
  return methods.has(method) ? method : '_OTHER';
}
