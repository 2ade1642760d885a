/** Plain clients that tell what they have seen: one of node:http, one of bare sockets. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Seen {
  readonly response: IncomingMessage | undefined;
  readonly body: Buffer;
  /** The code of the error that ended it. */
  readonly error: string | undefined;
  /** It went over a connection that had served before. */
  readonly reused: boolean;
  readonly tookMs: number;
}

/** On a connection of its own, unless an agent is given. Does not fail: the error is among what was seen. */
export async function get(url: string, options: RequestOptions & { body?: string } = {}) {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const chunks: Buffer[] = [];
  let response: IncomingMessage | undefined;
  const { body, ...rest } = options;
  const outgoing = httpRequest(url, { agent: false, ...rest }, (incoming) => {
    response = incoming;
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    incoming.on('end', () => resolve(undefined));
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  outgoing.end(body);
  const error = await promise;
  const tookMs = performance.now() - startedAt;
  const seen = { response, body: Buffer.concat(chunks), error, tookMs };
  return { ...seen, reused: outgoing.reusedSocket } satisfies Seen;
}

export interface Wire {
  readonly socket: Socket;
  /** Everything received, as latin1. */
  text(): string;
  /** Settles when this has been received, after what was waited for before. */
  until(text: string): Promise<void>;
  /** How the other side ended the connection: with a FIN, or with the error of that code. */
  readonly over: Promise<string>;
}

/** A connection to `url`, on which `request` has been sent. */
export async function wire(url: string, request = ''): Promise<Wire> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let seen = 0;
  socket.on('data', (data: Buffer) => (received += data.toString('latin1')));
  const over = Promise.withResolvers<string>();
  socket.once('end', () => over.resolve('FIN'));
  await once(socket, 'connect');
  socket.on('error', (error: NodeJS.ErrnoException) => over.resolve(error.code ?? error.message));
  socket.write(request);
  return {
    socket,
    text: () => received,
    over: over.promise,
    async until(text) {
      while (!received.includes(text, seen)) await once(socket, 'data');
      seen = received.indexOf(text, seen) + text.length;
    },
  };
}

export const getText = 'GET /order HTTP/1.1\r\nhost: shop\r\n\r\n';
