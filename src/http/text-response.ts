/** Responses of text with an explicit length, which HEAD and compression middleware rely on. */

export function textResponse(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(text, {
    status,
    // A plain record, which the adapter writes as it is, without making `Headers` of it.
    headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) },
  });
}

/** A JSON response that no cache may store. */
export function jsonResponse(value: unknown, status = 200): Response {
  return textResponse(JSON.stringify(value), status, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
}
