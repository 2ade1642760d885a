/** Reads a JSON body, bounded. */
import { RequestError } from '../errors.ts';
import { parseJson } from '../json.ts';

const largest = 1024 * 1024;

/** @throws RequestError when the body is not JSON by type or content, or larger than 1 MiB. */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new RequestError(
      'unsupported-media-type',
      'The body must be JSON: send Content-Type: application/json.',
    );
  }
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

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > largest) throw tooLarge();
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

async function* chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch {
    throw new RequestError('invalid-request', 'The body broke off before it was complete.');
  }
}

function tooLarge(): RequestError {
  return new RequestError('body-too-large', `The body is larger than ${largest} bytes.`);
}
