/** Services on real sockets that record their requests; closed when the test is over. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingHttpHeaders, RequestListener, Server } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';

export interface Recorded {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Listening {
  readonly url: string;
  /** How many connections were made. */
  readonly accepted: number;
  readonly open: ReadonlySet<Socket>;
  /** Settles when the other side has closed every connection. */
  allClosed(): Promise<void>;
}

/** An HTTP server that records its requests. Answers `null` unless told otherwise. */
export async function startServer(
  answer: RequestListener = (_, response) => void response.end('null'),
  socketPath?: string,
): Promise<Listening & { readonly requests: readonly Recorded[] }> {
  const requests: Recorded[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, target: url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  return Object.assign(await listen(server, socketPath), { requests });
}

/** A server of bare sockets, which calls `misbehave` with each request's text. */
export async function startSocketServer(
  misbehave: (socket: Socket, request: string) => void,
): Promise<Listening & { readonly requests: readonly string[] }> {
  const requests: string[] = [];
  const server = createSocketServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      requests.push(data.toString('latin1'));
      misbehave(socket, data.toString('latin1'));
    });
  });
  return Object.assign(await listen(server), { requests });
}

/** Listens at any free port, or at the path of a socket. */
export async function listen(
  server: Server | SocketServer,
  socketPath?: string,
): Promise<Listening> {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  if (socketPath === undefined) server.listen(0, '127.0.0.1');
  else server.listen(socketPath);
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  return {
    // A TCP server has a port.
    url: socketPath ? `unix:${socketPath}` : urlOf(server.address() as AddressInfo),
    open,
    get accepted() {
      return accepted;
    },
    allClosed: () => vi.waitFor(() => expect(open.size).toBe(0)),
  };
}

function urlOf({ port }: AddressInfo): string {
  return `http://127.0.0.1:${port}`;
}
