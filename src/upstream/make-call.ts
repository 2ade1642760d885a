/** Makes the calls of a client request, with the headers that are forwarded to their services. */
import { areOfCaller } from '../dsl/credentials.ts';
import type { Operation } from '../dsl/operation.ts';
import { isPlainObject } from '../plain-object.ts';
import { isShareable, noFollowers } from './call.ts';
import type { Call, Caller } from './call.ts';
import { identityOf, keyOf } from './sharing/key.ts';

/** The facts that a call takes over from its step and its request. */
type Origin = Pick<Call, 'operation' | 'args' | 'trace' | 'caller' | 'createdAt' | 'conceals'> &
  Partial<Pick<Call, 'givenTarget'>>;

interface Forwarding extends Pick<Call, 'headers' | 'identity'> {
  /** The client's headers that the identity is made of. Default: those that are forwarded. */
  readonly identifying?: Call['headers'];
}

export function makeCall(origin: Origin, forwarding: Forwarding): Call {
  const { headers, identity, identifying = headers } = forwarding;
  const { operation, args, trace, caller, createdAt, conceals, givenTarget } = origin;
  const secrets = operation.headers?.secrets;
  const keyed = secrets?.length
    ? concealed(origin, identifying, secrets)
    : { operation, args, givenTarget, identity, conceals };
  return {
    operation,
    args,
    givenTarget,
    headers,
    identity: keyed.identity,
    conceals,
    key: isShareable(operation) ? keyOf(keyed) : undefined,
    caller,
    signal: caller.signal,
    createdAt,
    deadlineAt: caller.deadlineAt,
    trace,
    afterWrite: caller.hasWritten,
    followers: noFollowers(),
  };
}

/** The facts of a call's key, in which credentials among its arguments are a part of the hash. */
function concealed(
  { operation, args, givenTarget, conceals }: Origin,
  own: Call['headers'],
  secrets: readonly string[],
): Parameters<typeof keyOf>[0] {
  const { headers: given, ...others } = args;
  if (!isPlainObject(given))
    return { operation, args, givenTarget, identity: identityOf(own), conceals };
  const isSecret = ([name]: [string, unknown]): boolean => secrets.includes(name);
  const headers = Object.entries(given);
  return {
    operation,
    givenTarget,
    conceals,
    args: { ...others, headers: Object.fromEntries(headers.filter((one) => !isSecret(one))) },
    identity: identityOf({ ...own, ...Object.fromEntries(headers.filter(isSecret)) }),
  };
}

/**
 * Remembers the forwarded headers and the identity for each operation, since a request may call one
 * a hundred times.
 */
export function createForwarding(caller: Caller) {
  let known: Map<Operation, Forwarding> | undefined;
  return function forwardedTo(operation: Operation): Forwarding {
    const isOfCaller = areOfCaller(operation.auth);
    if (operation.forward.length === 0 && !isOfCaller) return nothingForwarded;
    const before = (known ??= new Map()).get(operation);
    if (before !== undefined) return before;
    const headers = forwarded(caller, operation);
    const identifying = isOfCaller ? withAuthorization(headers, caller) : headers;
    const forwarding = { headers, identifying, identity: identityOf(identifying) };
    known.set(operation, forwarding);
    return forwarding;
  };
}

const nothingForwarded = Object.freeze({ headers: Object.freeze({}), identity: '' });

/** The token of the client is not sent, but another one that is made of it. */
function withAuthorization(headers: Call['headers'], caller: Caller): Call['headers'] {
  const authorization = caller.header('authorization');
  return authorization === undefined ? headers : { ...headers, authorization };
}

/** The client's headers that the operation lists in `forward`. */
function forwarded(caller: Caller, operation: Operation): Call['headers'] {
  const headers: Record<string, string> = {};
  for (const name of operation.forward) {
    const value = caller.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
