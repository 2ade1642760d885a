/** Errors: one class per boundary, with a `kind` to tell its errors apart. */

/** A composition cannot become a plan. Found at start-up. */
export class CompositionError extends Error {
  override readonly name = 'CompositionError';
  /** The name of the file without its ending, or the word of the DSL that was misused. */
  readonly place: string;

  constructor(place: string, message: string, options?: ErrorOptions) {
    super(`${place}: ${message}`, options);
    this.place = place;
  }
}

/** Several load-time errors, reported together. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    super(errors.map((error) => error.message).join('\n'));
    this.errors = errors;
  }
}

/** The environment cannot be used as it is. The message lists every variable concerned. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * An error whose kind and message say all there is to say: it has no stack trace, since recording
 * one takes longer than refusing a request. An unexpected error is the `cause` of one.
 */
export class StacklessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** One thing that is wrong with a client's request. */
export interface InvalidField {
  /** JSON Pointer (RFC 6901) within `in`. */
  readonly pointer: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'body' | 'identity';
  readonly detail: string;
}

export type RequestErrorKind =
  | 'invalid-request'
  /** Two servers could read it differently (request smuggling): its connection is closed. */
  | 'ambiguous-request'
  | 'headers-too-large'
  | 'version-not-supported'
  | 'expectation-failed'
  | 'not-found'
  | 'method-not-allowed'
  | 'misdirected-request'
  | 'body-too-large'
  | 'request-timeout'
  | 'unsupported-media-type';

/** The client's request cannot be served as it was sent. */
export class RequestError extends StacklessError {
  override readonly name = 'RequestError';
  readonly kind: RequestErrorKind;
  readonly fields: readonly InvalidField[];

  constructor(kind: RequestErrorKind, message: string, fields: readonly InvalidField[] = []) {
    super(message);
    this.kind = kind;
    this.fields = fields;
  }
}

/** The request cannot be served at the moment. The message is for the client. */
export class UnavailableError extends StacklessError {
  override readonly name = 'UnavailableError';
  /** After this time another request may succeed. */
  readonly retryAfterSeconds: number;

  constructor(
    message: string,
    options: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1;
  }
}

export type UpstreamErrorKind =
  /** The response is not a 2xx. */
  | 'status'
  /** No connection could be made. */
  | 'connect'
  /** The connection broke before the response was complete. */
  | 'reset'
  /** The attempt exceeded its time limit. */
  | 'timeout'
  /** The body is not JSON, does not fit the schema or cannot be decoded. */
  | 'invalid-body'
  | 'too-large'
  /** The service's bulkhead is full: the call was not sent. */
  | 'overloaded'
  /** The service's circuit breaker is open: the call was not sent. */
  | 'breaker-open'
  /** There is no token of the issuer to send with the call: it was not sent. */
  | 'credentials'
  /** A lookup with `missing: 'error'` got no item for the key. */
  | 'missing'
  /** An argument cannot be part of a URL or does not fit the operation's schema: not sent. */
  | 'invalid-argument'
  /** Nobody waits for the answer any more. */
  | 'aborted';

/** A part of a request that its service calls wrong, as far as the operation declares `problem`. */
export interface UpstreamField {
  /** The names that lead to the place, in the service's own words; absent: it says no place. */
  readonly path: readonly string[] | undefined;
  /** One line, for the client. */
  readonly detail: string;
}

/** A service's answer to credentials that it has rejected. */
export interface RejectedCredentials {
  /** Its `WWW-Authenticate`, without challenges that are not for the gateway's clients. */
  readonly challenges: string | undefined;
  /** Its `DPoP-Nonce` (RFC 9449, 9). */
  readonly nonce?: string;
}

export interface UpstreamErrorOptions extends ErrorOptions {
  readonly service: string;
  readonly operation: string;
  /** The status code of the response, if there is one. */
  readonly status?: number;
  /** The service's `Retry-After`, or ours for calls that were not sent. */
  readonly retryAfterSeconds?: number;
  /** How much of the response had arrived when it failed; absent: nothing. */
  readonly reached?: 'headers' | 'body';
  /** For `invalid-body`: the response is not HTTP, so it is not an answer at all. */
  readonly isNotHttp?: boolean;
  /**
   * For `reset`: the connection had been idle and broke before the first byte of the answer, so the
   * service had probably closed it.
   */
  readonly isStale?: boolean;
  /** For `aborted`: another attempt of the same call was faster (hedge). */
  readonly isOutrun?: boolean;
  /** The invalid argument, for `invalid-argument`. */
  readonly argument?: string;
  /** For `credentials`: the issuer rejects the gateway, or gives no token that can be used. */
  readonly isMisconfigured?: boolean;
  /** Present if the service has rejected the client's credentials; the client may be given it. */
  readonly rejectedCredentials?: RejectedCredentials;
  /** For `status`: the response was a 2xx, whose body says that it is a failure. */
  readonly isEnveloped?: boolean;
  /** For `status`: what is wrong with the request, for the client. Default: nothing is said. */
  readonly fields?: readonly UpstreamField[];
  /** The `Cache-Control` of the response, if there is one: it may forbid to cache the failure. */
  readonly cacheControl?: string;
}

/**
 * A call to a service failed. The message names the service and the operation, for logs and traces.
 * It never quotes a response body, and never reaches a client; of `fields` the client may be told.
 */
export class UpstreamError extends StacklessError {
  override readonly name = 'UpstreamError';
  readonly kind: UpstreamErrorKind;
  readonly service: string;
  readonly operation: string;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly reached: 'headers' | 'body' | undefined;
  readonly isNotHttp: boolean;
  readonly isStale: boolean;
  readonly isOutrun: boolean;
  readonly argument: string | undefined;
  readonly isMisconfigured: boolean;
  readonly cacheControl: string | undefined;
  readonly rejectedCredentials: RejectedCredentials | undefined;
  readonly isEnveloped: boolean;
  readonly fields: readonly UpstreamField[];

  constructor(kind: UpstreamErrorKind, message: string, options: UpstreamErrorOptions) {
    super(`${options.service}.${options.operation}: ${message}`, options);
    this.kind = kind;
    this.service = options.service;
    this.operation = options.operation;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.reached = options.reached;
    this.isNotHttp = options.isNotHttp ?? false;
    this.isStale = options.isStale ?? false;
    this.isOutrun = options.isOutrun ?? false;
    this.argument = options.argument;
    this.isMisconfigured = options.isMisconfigured ?? false;
    this.cacheControl = options.cacheControl;
    this.rejectedCredentials = options.rejectedCredentials;
    this.isEnveloped = options.isEnveloped ?? false;
    this.fields = options.fields ?? [];
  }
}

export type ExecutionErrorKind =
  /** A function given to `map` threw or returned a promise. */
  | 'map-failed'
  /** A list given to `each` is longer than its `max`. */
  | 'too-many-items'
  /** The value given to `each` is not a list. */
  | 'not-a-list'
  /** The assembled response does not fit the composition's `response` schema. */
  | 'response-mismatch'
  /** The request exceeded its deadline. */
  | 'deadline'
  /** A tolerated step took longer than its `withinMs`. */
  | 'late'
  /** A tolerated step was left out to shed load. */
  | 'shed'
  /** The client has disconnected. */
  | 'disconnected';

/** The execution of a plan failed for a reason other than a call. */
export class ExecutionError extends StacklessError {
  override readonly name = 'ExecutionError';
  readonly kind: ExecutionErrorKind;

  constructor(kind: ExecutionErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A thrown value, which may be anything, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The code of an error of Node, as in `ENOENT`; `undefined` for one without a code. */
export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

const builtIn = new Set([
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
]);

/** The name of a built-in error; `Error` for others, since their names may contain anything. */
export function errorName(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return builtIn.has(thrown.name) ? thrown.name : 'Error';
}
