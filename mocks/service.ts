/** A mock service: an HTTP server that records requests, applies faults, answers with msw. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpHandler } from 'msw';
import { answer, answerControl } from './answer.ts';
import { createControl, isControl } from './control.ts';
import { createFaults, faultList } from './faults.ts';
import type { Fault } from './faults.ts';
import { createRequestLog } from './request-log.ts';
import type { RecordedRequest } from './request-log.ts';
import type { Tracing } from './tracing.ts';

export interface MockService {
  readonly url: string;
  /** In order of arrival. */
  requests(): RecordedRequest[];
  /** Replaces the faults. */
  fault(faults: readonly Fault[]): void;
  /** Forgets faults and requests. */
  reset(): void;
  openConnections(): number;
}

export interface RunningService extends MockService {
  /** Drops every connection, frees the port and exports the last spans. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly handlers: readonly HttpHandler[];
  readonly tracing: Tracing;
}

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const log = createRequestLog();
  const faults = createFaults();
  const control = createControl(log, faults);
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const exchange = { incoming, outgoing };
    if (isControl(url)) return void answerControl(exchange, control);
    log.add(incoming);
    const span = options.tracing.start({ method, target: url, headers });
    const fault = faults.take(`${method} ${url}`);
    void answer({ exchange, handlers: options.handlers, span, fault });
  });
  const sockets = trackSockets(server);
  await listen(server, options);
  return {
    url: toOrigin(server, options.host),
    requests: log.list,
    fault: (list) => faults.replace(faultList.parse(list)),
    reset() {
      faults.replace([]);
      log.clear();
    },
    openConnections: () => sockets.size,
    async close() {
      const closed = closeServer(server);
      await Promise.all(Array.from(sockets, destroyed));
      await closed;
      await options.tracing.shutdown();
    },
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

function destroyed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', resolve).destroy());
}

async function listen(server: Server, { name, host, port }: ServiceOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    reject(new Error(`${name}: cannot listen on ${host}:${port}: ${toReason(cause)}`, { cause }));
  });
  server.listen(port, host, resolve);
  await promise;
}

function toReason(error: NodeJS.ErrnoException): string {
  return error.code === 'EADDRINUSE'
    ? 'the port is in use. Stop what uses it or choose another one.'
    : error.message;
}

function toOrigin(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
}
