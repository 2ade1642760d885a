/**
 * A proxy that breaks HTTP between a client and a real upstream in the way it was last told to.
 *
 * The toxic holds for requests, not for connections: each request goes by the one that was in use when
 * its first byte arrived, also on a connection that was idle when the toxic changed. For that the proxy
 * has to know where requests end. Its limits:
 * - a request has a Content-Length or no body; a chunked one is answered 501. It is held in memory until whole.
 * - pipelined requests are answered one after the other; a half-closed connection counts as closed.
 * - informational answers (1xx) and trailers of the upstream are not passed on; forged answers ignore HEAD.
 * - each request makes a connection of its own to the upstream, whatever the client does.
 * - while it refuses, its port is free: should somebody take it, `use` rejects with EADDRINUSE.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { serve } from './connection.ts';
import { bombOf } from './forged.ts';
import { assertToxic } from './toxic.ts';
import type { Toxic } from './toxic.ts';

export interface ToxicProxy {
  readonly url: string;
  /** How many connections were accepted. */
  readonly connections: number;
  /** How many of them are open. */
  readonly open: number;
  /** How many requests have arrived whole. */
  readonly requests: number;
  /** Holds for requests that begin from now on; wait for it when the listener has to open or to close. */
  use(toxic: Toxic): Promise<void>;
  /** Settles when no connection is open. */
  allClosed(): Promise<void>;
  /** Breaks every connection; nothing goes on afterwards. */
  close(): Promise<void>;
}

/** Stands on a free port of the loopback in front of `upstreamUrl`, an http origin. Starts with `none`. */
export async function createToxicProxy(upstreamUrl: string): Promise<ToxicProxy> {
  const upstream = toUpstream(upstreamUrl);
  const connections = new Map<Socket, Promise<void>>();
  let toxic: Toxic = { kind: 'none' };
  let accepted = 0;
  let requests = 0;
  let isClosed = false;

  const onRequest = () => void (requests += 1);

  async function accept(socket: Socket): Promise<void> {
    accepted += 1;
    const served = serve(socket, { upstream, toxic: () => toxic, onRequest });
    connections.set(socket, served);
    await served;
    connections.delete(socket);
  }

  let server: Server | undefined = await listen(0, accept);
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  let settled = Promise.resolve();

  /** Brings the listener to where the toxic wants it, after earlier changes have got there. */
  async function settle(): Promise<void> {
    const wanted = !isClosed && toxic.kind !== 'refuse';
    if (wanted) server ??= await listen(port, accept);
    else {
      server?.close();
      server = undefined;
    }
  }

  function settleNext(): Promise<void> {
    settled = settled.catch(() => undefined).then(settle);
    return settled;
  }

  async function use(next: Toxic): Promise<void> {
    assertToxic(next);
    if (isClosed) throw new Error(`toxic proxy: it is closed. Use "${next.kind}" before close()`);
    toxic = next;
    if (next.kind === 'bomb') await bombOf(next.bytes);
    await settleNext();
  }

  async function allClosed(): Promise<void> {
    while (connections.size > 0) await Promise.all(connections.values());
  }

  async function close(): Promise<void> {
    isClosed = true;
    await settleNext();
    for (const socket of connections.keys()) socket.destroy();
    await allClosed();
  }

  return {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return accepted;
    },
    get open() {
      return connections.size;
    },
    get requests() {
      return requests;
    },
    use,
    allClosed,
    close,
  };
}

function toUpstream(text: string): URL {
  const url = new URL(text);
  if (url.protocol === 'http:') return url;
  throw new TypeError(`toxic proxy: the upstream is ${text}. Give a URL with http:`);
}

async function listen(port: number, accept: (socket: Socket) => Promise<void>): Promise<Server> {
  const server = createServer((socket) => void accept(socket));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
