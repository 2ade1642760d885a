/** Calls, dispatches and attempts as upper layers make them, and upstreams for one service. */
import { expect, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Operation } from '../../src/dsl/operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import type { Service, ServiceConfig } from '../../src/dsl/service.ts';
import { UpstreamError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { Trace } from '../../src/trace.ts';
import { attempts } from '../../src/upstream/attempt.ts';
import type { AttemptOptions, Gate } from '../../src/upstream/attempt.ts';
import { dispatchOf } from '../../src/upstream/call.ts';
import type { Call, Caller, Dispatch, Reply, Send } from '../../src/upstream/call.ts';
import type { Address } from '../../src/upstream/exchange/address.ts';
import { makeCall } from '../../src/upstream/make-call.ts';
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
  const caller = callerOf({ signal, deadlineAt });
  const { conceals = false } = rest;
  const origin = { operation, args, trace: undefined, caller, createdAt: 0, conceals };
  return { ...makeCall(origin, { headers, identity: identityOf(headers) }), ...rest };
}

/** A request that calls services. */
export function callerOf(rest: Partial<Caller> = {}): Caller {
  return {
    signal: new AbortController().signal,
    deadlineAt: 10_000,
    header: () => undefined,
    requestId: undefined,
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
  const { operation, identity, conceals } = call;
  const [by = ''] = operation.lookup?.arguments ?? [];
  const { [by]: key, ...args } = call.args;
  return { key, call: { ...call, args, key: keyOf({ operation, args, identity, conceals }) } };
}

/** An address that no test reaches. */
export const unreached: Address = {
  url: new URL('http://127.0.0.1:9'),
  origin: 'http://127.0.0.1:9',
  host: '127.0.0.1',
  port: 9,
  prefix: '',
  dispatch: () => expect.fail('this address is not to be reached'),
  close: async () => undefined,
  destroy: () => Promise.resolve(),
};

/** Attempts that pass `gates`, and nothing else. */
export function attemptsWith(
  gates: readonly Gate[],
  send: Send<Dispatch>,
  rest: Partial<AttemptOptions> = {},
): Send<Dispatch> {
  return attempts(
    {
      gates,
      startTimeout: ({ signal }) => ({
        signal,
        stopFollowing: () => undefined,
        onEnd: () => undefined,
      }),
      choose: () => ({ address: unreached, onEnd: () => undefined }),
      hook: undefined,
      hangWatch: undefined,
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
    const { arguments: names } = operation.lookup;
    const parts = names.map((name) => args[name]);
    const others = Object.fromEntries(
      Object.entries(args).filter(([name]) => !names.includes(name)),
    );
    const keys = names.length === 1 ? parts : [parts];
    return replyOf(calls.load({ operation, args: others, keys, trace }));
  };
}

/** The UpstreamError that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<UpstreamError> {
  const error = await reasonOf(call);
  expect(error).toBeInstanceOf(UpstreamError);
  return error as UpstreamError; // the line before has just said so
}

/** The reason that a promise is rejected with. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`a failure was expected, not ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
}

/** Waits for one turn of the event loop: promise jobs and I/O that is ready are done. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export interface ShopOptions extends Partial<Omit<UpstreamsOptions, 'services' | 'addresses'>> {
  readonly environment?: Readonly<Record<string, string>>;
  readonly url?: ServiceConfig['url'];
  readonly service?: Partial<ServiceConfig>;
  /** The client's headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly deadlineInMs?: number;
}

export interface OpenShop {
  readonly service: Service;
  readonly upstreams: Upstreams;
  readonly call: CallOperation;
  /** Ends the request on whose behalf `call` calls. */
  readonly request: AbortController;
  /** Another request. */
  open(headers?: Readonly<Record<string, string>>): CallOperation;
}

/** One service named `shop`, and a request that calls it; what fails is not asked again. */
export function openShop(options: ShopOptions): OpenShop {
  const { url = 'http://127.0.0.1:9', clock = systemClock, deadlineInMs = 10_000 } = options;
  const service = defineService({ name: 'shop', url, retry: false, ...options.service });
  const services = [service];
  const { addresses } = parseSettings(options.environment ?? {}, services);
  const upstreams = createUpstreams({ ...options, addresses, clock, services });
  onTestFinished(() => upstreams.close());
  const request = new AbortController();
  const open: OpenShop['open'] = (headers = {}) =>
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
