/** Calls, services on real sockets, and upstreams that reach them; all gone when the test is over. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingHttpHeaders, RequestListener, Server } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Operation } from '../../src/dsl/operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import type { Service, ServiceConfig } from '../../src/dsl/service.ts';
import { UpstreamError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { Trace } from '../../src/trace.ts';
import { attempts } from '../../src/upstream/attempt.ts';
import type { AttemptOptions, Permit } from '../../src/upstream/attempt.ts';
import { dispatchOf, isShareable } from '../../src/upstream/call.ts';
import type { Call, Caller, Dispatch, Reply, Send } from '../../src/upstream/call.ts';
import type { Address } from '../../src/upstream/exchange/address.ts';
import { identityOf, keyOf } from '../../src/upstream/sharing/key.ts';
import { replyOf } from '../../src/upstream/sharing/load.ts';
import type { SendLoad } from '../../src/upstream/sharing/load.ts';
import { openLoad } from '../../src/upstream/sharing/open-load.ts';
import { createUpstreams } from '../../src/upstream/upstreams.ts';
import type {
  CallOperation,
  Calls,
  Upstreams,
  UpstreamsOptions,
} from '../../src/upstream/upstreams.ts';

/** A service that no test reaches. */
export const nowhere = defineService({ name: 'shop', url: 'http://127.0.0.1:9' });

export const ok: Reply = { status: 200, headers: {}, value: null, raw: null };

/** A call as `Upstreams.open` makes it. */
export function callOf(
  operation: Operation,
  args: Call['args'] = {},
  rest: Partial<Call> = {},
): Call {
  const { headers = {}, signal = new AbortController().signal, deadlineAt = 10_000 } = rest;
  const identity = identityOf(headers);
  return {
    operation,
    args,
    headers,
    identity,
    key: isShareable(operation) ? keyOf({ operation, args, identity }) : undefined,
    caller: callerOf({ signal, deadlineAt }),
    signal,
    createdAt: 0,
    deadlineAt,
    trace: undefined,
    afterWrite: false,
    followers: [],
    ...rest,
  };
}

/** A request that calls services. */
export function callerOf(rest: Partial<Caller> = {}): Caller {
  return {
    signal: new AbortController().signal,
    deadlineAt: 10_000,
    header: () => undefined,
    sent: 0,
    hasWritten: false,
    ...rest,
  };
}

/** A call on its way to the service, by itself. */
export function dispatchFor(
  operation: Operation,
  args: Call['args'] = {},
  rest: Partial<Dispatch> = {},
): Dispatch {
  return { ...dispatchOf(callOf(operation, args, rest)), ...rest };
}

/** A trace by which a test recognises a call. */
export function traceNamed(name: string): Trace {
  return name as unknown as Trace;
}

/** Loads of one key each, for calls that have it among their arguments. */
export function oneByOne(sendLoad: SendLoad): Send {
  return (call) => {
    const { key, call: others } = takeKey(call);
    return replyOf(openLoad({ call: others, keys: [key], failsAtOnce: false }, sendLoad));
  };
}

/** A way for loads that answers each key by a call of its own. */
export function callPerKey(send: Send): SendLoad {
  return (load, indexes) => {
    for (const index of indexes)
      send(load.call).then(
        (reply) => load.settle(index, reply.value, reply, reply.raw),
        (error: unknown) => load.fail(index, error),
      );
  };
}

function takeKey(call: Call): { key: unknown; call: Call } {
  const { operation, identity } = call;
  const by = operation.lookup?.by ?? '';
  const { [by]: key, ...args } = call.args;
  return { key, call: { ...call, args, key: keyOf({ operation, args, identity }) } };
}

/** An address that no test reaches. */
export const unreached: Address = {
  origin: 'http://127.0.0.1:9',
  host: '127.0.0.1',
  port: 9,
  prefix: '',
  dispatch: () => expect.fail('this address is not to be reached'),
  destroy: () => Promise.resolve(),
};

/** Attempts that need `permits`, and nothing else. */
export function attemptsWith(
  permits: readonly Permit[],
  send: Send<Dispatch>,
  rest: Partial<AttemptOptions> = {},
): Send<Dispatch> {
  return attempts(
    {
      permits,
      bound: ({ signal }) => ({ signal, onEnd: () => undefined }),
      choose: () => ({ address: unreached, onEnd: () => undefined }),
      hook: undefined,
      clock: systemClock,
      ...rest,
    },
    send,
  );
}

/** Where an attempt goes. */
export function addressOf(attempt: Dispatch): Address {
  return 'address' in attempt ? (attempt.address as Address) : unreached; // attempts have one
}

/** Calls of any operation: of a lookup, a load of the one key among the arguments. */
export function callWith(calls: Calls): CallOperation {
  return (operation, args, trace) => {
    if (operation.lookup === undefined) return calls.call(operation, args, trace);
    const { [operation.lookup.by]: key, ...others } = args;
    return replyOf(calls.load({ operation, args: others, keys: [key], trace }));
  };
}

/** What a call failed with. */
export async function failureOf(call: Promise<unknown>): Promise<UpstreamError> {
  const error = await reasonOf(call);
  expect(error).toBeInstanceOf(UpstreamError);
  return error as UpstreamError; // the line before has just said so
}

/** What a promise was rejected with. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`a failure was expected, not ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
}

/** All that promises and I/O that is ready can do has been done. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

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
  /** Holds when the other side has closed every connection. */
  allClosed(): Promise<void>;
}

/** An HTTP server that writes down what it is asked. Answers `null` unless told otherwise. */
export async function startServer(
  answer: RequestListener = (_, response) => void response.end('null'),
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
  return Object.assign(await listen(server), { requests });
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

export async function listen(server: Server | SocketServer): Promise<Listening> {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP server has a port
    open,
    get accepted() {
      return accepted;
    },
    allClosed: () => vi.waitFor(() => expect(open.size).toBe(0), { timeout: 5_000, interval: 5 }),
  };
}

export interface StartOptions extends Partial<Omit<UpstreamsOptions, 'services' | 'addresses'>> {
  readonly environment?: Readonly<Record<string, string>>;
  readonly url?: ServiceConfig['url'];
  readonly service?: Partial<ServiceConfig>;
  /** The client's headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly deadlineInMs?: number;
}

export interface Started {
  readonly service: Service;
  readonly upstreams: Upstreams;
  readonly call: CallOperation;
  /** Ends the request on whose behalf `call` calls. */
  readonly request: AbortController;
  /** Another request. */
  open(headers?: Readonly<Record<string, string>>): CallOperation;
}

/** One service named `shop`, and a request that calls it; what fails is not asked again. */
export function start(options: StartOptions): Started {
  const { url = 'http://127.0.0.1:9', clock = systemClock, deadlineInMs = 10_000 } = options;
  const service = defineService({ name: 'shop', url, retry: false, ...options.service });
  const services = [service];
  const { addresses } = parseSettings(options.environment ?? {}, services);
  const upstreams = createUpstreams({ ...options, addresses, clock, services });
  onTestFinished(() => upstreams.close());
  const request = new AbortController();
  const open: Started['open'] = (headers = {}) =>
    callWith(
      upstreams.open(
        callerOf({
          signal: request.signal,
          deadlineAt: clock.now() + deadlineInMs,
          header: (name) => headers[name],
        }),
      ),
    );
  return { service, upstreams, request, open, call: open(options.headers) };
}
