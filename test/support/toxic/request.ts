/**
 * Where a request ends in the bytes of a connection: after its head, or after as many bytes as its
 * Content-Length says. A chunked request body is more than this needs to know, and is refused.
 */

export interface Request {
  readonly method: string;
  readonly target: string;
  /** Names and values in turn, as they were sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Takes the bytes as they come, gives the requests that they complete. Throws for what it cannot read. */
export function createRequestReader<Mark>(
  /** Called as a request begins; the request is given out with what this returned. */
  onBegin: () => Mark,
): (chunk: Buffer) => { readonly request: Request; readonly mark: Mark }[] {
  let unread: Buffer = Buffer.alloc(0);
  let begun: { readonly mark: Mark } | undefined;

  function* complete() {
    while (unread.length > 0) {
      begun ??= { mark: onBegin() };
      const found = firstRequest(unread);
      if (found === undefined) return;
      yield { request: found.request, mark: begun.mark };
      unread = unread.subarray(found.length);
      begun = undefined;
    }
  }

  return (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    return [...complete()];
  };
}

function firstRequest(bytes: Buffer): { request: Request; length: number } | undefined {
  const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
  if (bodyAt < 4) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, bodyAt - 4).split('\r\n');
  const [method = '', target = '', version] = first.split(' ');
  if (version === undefined) throw new Error(`this is no request line: ${first}`);
  const headers = lines.flatMap((line) => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  if (headerOf(headers, 'transfer-encoding') !== undefined) {
    throw new Error('the proxy does not read chunked requests; send a content-length');
  }
  const length = bodyAt + Number(headerOf(headers, 'content-length') ?? 0);
  if (bytes.length < length) return undefined;
  const body = bytes.subarray(bodyAt, length);
  return { request: { method, target, headers, body }, length };
}

/** Of names and values in turn. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const index = headers.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === name);
  return index === -1 ? undefined : headers[index + 1];
}
