/** An upstream whose answers a test gives by hand: it shows what runs at once without a clock. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request that waits for its answer. */
export interface Arrival {
  /** `GET /a?x=1` */
  readonly request: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Sends `value` as JSON, or, if it is bytes, as it is. */
  answer(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): void;
  /** Breaks the connection. */
  reset(): void;
  /** Settles when the caller breaks the connection before there is an answer. */
  readonly abandoned: Promise<void>;
}

export interface Upstream {
  readonly url: string;
  /** Everything asked so far, sorted: on connections of their own, requests overtake each other. */
  asked(): string[];
  /** The oldest request of that text that nobody has taken yet; waits until there is one. */
  next(request: string): Promise<Arrival>;
  /** Answers the next request of that text. */
  answer(request: string, ...answer: Parameters<Arrival['answer']>): Promise<void>;
  /** Answers all requests, those still to come too, with what `reply` makes of their text. */
  answerAll(reply: (request: string) => unknown): void;
  /** Requests without an answer whose caller is still connected. */
  waiting(): number;
}

export async function startUpstream(): Promise<Upstream> {
  const asked: string[] = [];
  const untaken: Arrival[] = [];
  const waiting = new Set<Arrival>();
  const listeners = new Set<() => void>();
  let automatic: ((request: string) => unknown) | undefined;

  const server = createServer(async (incoming, outgoing) => {
    const body = await text(incoming);
    const arrival = toArrival({
      incoming,
      outgoing,
      body,
      onSettled: () => waiting.delete(arrival),
    });
    asked.push(arrival.request);
    waiting.add(arrival);
    if (automatic !== undefined) return arrival.answer(automatic(arrival.request));
    untaken.push(arrival);
    for (const listener of listeners) listener();
  });
  const url = await listen(server);
  onTestFinished(() => close(server));

  function take(request: string): Arrival | undefined {
    const index = untaken.findIndex((arrival) => arrival.request === request);
    return index === -1 ? undefined : untaken.splice(index, 1)[0];
  }

  async function next(request: string): Promise<Arrival> {
    const found = take(request);
    if (found !== undefined) return found;
    const { promise, resolve } = Promise.withResolvers<void>();
    listeners.add(resolve);
    await promise;
    listeners.delete(resolve);
    return next(request);
  }

  return {
    url,
    asked: () => asked.toSorted(),
    next,
    answer: async (request, ...answer) => (await next(request)).answer(...answer),
    answerAll(reply) {
      automatic = reply;
      for (const arrival of untaken.splice(0)) arrival.answer(reply(arrival.request));
    },
    waiting: () => waiting.size,
  };
}

function toArrival({
  incoming,
  outgoing,
  body,
  onSettled,
}: {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  body: string;
  onSettled: () => void;
}): Arrival {
  const abandoned = Promise.withResolvers<void>();
  outgoing.once('close', () => {
    onSettled();
    if (!outgoing.writableFinished) abandoned.resolve();
  });
  return {
    request: `${incoming.method} ${incoming.url}`,
    headers: incoming.headers,
    body,
    abandoned: abandoned.promise,
    answer(value, status = 200, headers = {}) {
      outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
      outgoing.end(value instanceof Uint8Array ? value : JSON.stringify(value));
    },
    reset: () => incoming.socket.resetAndDestroy(),
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo; // it listens on TCP
      resolve(`http://127.0.0.1:${port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
