/** Responses with an explicit length, which HEAD and compression middleware rely on. */

export function sizedResponse(
  content: string | Buffer,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  // No body may be in shared memory, which the type of a buffer does not exclude; none here is.
  return new Response(content as string | Uint8Array<ArrayBuffer>, {
    status,
    // A plain record, which the adapter writes as it is, without making `Headers` of it.
    headers: { ...headers, 'content-length': String(Buffer.byteLength(content)) },
  });
}

/** A JSON response that no cache may store. */
export function jsonResponse(value: unknown, status = 200): Response {
  return sizedResponse(JSON.stringify(value), status, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
}
