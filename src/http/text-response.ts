/** Responses of JSON text whose length is said, so that HEAD has it and compression can go by it. */

export function textResponse(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(text, {
    status,
    // As a plain record: the adapter writes that as it is, and makes `Headers` of anything else.
    headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) },
  });
}

/** JSON that nobody may keep. */
export function jsonResponse(value: unknown, status = 200): Response {
  return textResponse(JSON.stringify(value), status, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
}
