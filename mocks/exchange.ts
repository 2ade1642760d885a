/** Translates between node:http, which has sockets, and the Request and Response of msw. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const { method = 'GET', url = '/', headersDistinct } = incoming;
  const headers = new Headers();
  for (const [name, values] of Object.entries(headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const init = { method, headers };
  if (method === 'GET' || method === 'HEAD') return new Request(toUrl(url), init);
  return new Request(toUrl(url), { ...init, body: Buffer.concat(await incoming.toArray()) });
}

/** Handlers match any origin, so a fixed one does; a Host header could be anything. */
export function toUrl(target: string): URL {
  return new URL(`http://mock.internal${target.startsWith('/') ? '' : '/'}${target}`);
}

export async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  writeHead(outgoing, response, body.length);
  outgoing.end(body);
}

/** Sends all headers and half of the body, then drops the connection. */
export async function sendHalf(outgoing: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  writeHead(outgoing, response, body.length);
  outgoing.flushHeaders();
  outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
}

/** Aborts when the client is gone, or once the answer is complete. */
export function toCloseSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  outgoing.once('close', () => controller.abort());
  return controller.signal;
}

function writeHead(outgoing: ServerResponse, response: Response, length: number): void {
  const headers = Object.fromEntries(response.headers);
  const hasBody = response.body !== null;
  outgoing.writeHead(response.status, { ...headers, ...(hasBody && { 'content-length': length }) });
}
