/** Reads a JSON body, bounded. */
import { RequestError } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { Exchange } from './exchange.ts';
import type { ClientRequest } from './request.ts';

type Headers = Pick<Exchange, 'header'>;

const largest = 1024 * 1024;

/** @throws RequestError when the body is not JSON by type or content, or larger than 1 MiB. */
export async function readJsonBody(request: ClientRequest, { header }: Headers): Promise<unknown> {
  refuseMediaType(header);
  if (Number(header('content-length') ?? 0) > largest) throw tooLarge();
  const text = await readText(request);
  try {
    return parseJson(text);
  } catch (error) {
    const detail = error instanceof SyntaxError ? error.message : 'cannot be parsed';
    throw new RequestError('invalid-request', 'The body is not JSON.', [
      { in: 'body', pointer: '', detail },
    ]);
  }
}

function refuseMediaType(header: Headers['header']): void {
  if (!isJson(header('content-type') ?? '')) {
    throw new RequestError(
      'unsupported-media-type',
      'The body must be JSON in UTF-8: send Content-Type: application/json.',
    );
  }
  if (!/^(?:identity)?$/i.test(header('content-encoding') ?? '')) {
    throw new RequestError('unsupported-media-type', 'The body must not be compressed.');
  }
}

/** JSON is UTF-8 (RFC 8259, 8.1): another charset is another thing. */
function isJson(contentType: string): boolean {
  const [type = '', ...parameters] = contentType
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return (
    /^application\/(?:[\w.+-]+\+)?json$/.test(type) &&
    /^charset="?utf-8"?$/.test(charset ?? 'charset=utf-8')
  );
}

async function readText(request: ClientRequest): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: false });
  let text = '';
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.byteLength;
    if (size > largest) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function* chunksOf(request: ClientRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body();
  } catch {
    throw new RequestError('invalid-request', 'The body broke off before it was complete.');
  }
}

function tooLarge(): RequestError {
  return new RequestError('body-too-large', `The body is larger than ${largest} bytes.`);
}
