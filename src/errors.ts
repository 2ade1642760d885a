/** The words for what can go wrong: one class per boundary, told apart by `kind`. */

/** A composition file says something that cannot become a plan. Found at load. */
export class CompositionError extends Error {
  override readonly name = 'CompositionError';
  /** Where: the file's name without ending, or the DSL word that refused. */
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

/** One thing that is wrong with a client's request. */
export interface InvalidField {
  /** JSON Pointer (RFC 6901) within `in`. */
  readonly pointer: string;
  readonly in: 'path' | 'query' | 'header' | 'body';
  readonly detail: string;
}

export type RequestErrorKind =
  | 'invalid-request'
  | 'not-found'
  | 'method-not-allowed'
  | 'misdirected-request'
  | 'body-too-large'
  | 'unsupported-media-type';

/** The client's request cannot be served as it was sent. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly kind: RequestErrorKind;
  readonly fields: readonly InvalidField[];

  constructor(kind: RequestErrorKind, message: string, fields: readonly InvalidField[] = []) {
    super(message);
    this.kind = kind;
    this.fields = fields;
  }
}

/** Something cannot be had just now. The message is for whoever asked. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  /** When asking again may help. */
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
  /** It answered, but not with a 2xx. */
  | 'status'
  /** No connection could be made. */
  | 'connect'
  /** The connection broke before the answer was complete. */
  | 'reset'
  /** The attempt ran out of its time. */
  | 'timeout'
  /** Not JSON, not what the schema says, or not decodable. */
  | 'invalid-body'
  | 'too-large'
  /** The service's bulkhead is full: the call was not sent. */
  | 'overloaded'
  /** The service's breaker is open, since most attempts failed: the call was not sent. */
  | 'breaker-open'
  /** A lookup with `missing: 'error'` got no item for the key. */
  | 'missing'
  /** An argument that cannot be part of a URL or does not fit the operation's schema: not sent. */
  | 'invalid-argument'
  /** Nobody waits for the answer any more. */
  | 'aborted';

export interface UpstreamErrorOptions extends ErrorOptions {
  readonly service: string;
  readonly operation: string;
  /** The upstream's status code, when it answered. */
  readonly status?: number;
  /** When asking again may help: the upstream's `Retry-After` in seconds, or ours for calls not sent. */
  readonly retryAfterSeconds?: number;
  /** How far the answer came before it failed; absent: it had not begun. */
  readonly reached?: 'headers' | 'body';
  /** The argument that was refused, for `invalid-argument`. */
  readonly argument?: string;
  /** The upstream's `Cache-Control`, when it answered: a failure may not be one to remember. */
  readonly cacheControl?: string;
}

/**
 * A call to a service failed. The message names service and operation and may go to logs and traces;
 * it never contains an upstream body, and never reaches a client.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly kind: UpstreamErrorKind;
  readonly service: string;
  readonly operation: string;
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly reached: 'headers' | 'body' | undefined;
  readonly argument: string | undefined;
  readonly cacheControl: string | undefined;

  constructor(kind: UpstreamErrorKind, message: string, options: UpstreamErrorOptions) {
    super(`${options.service}.${options.operation}: ${message}`, options);
    this.kind = kind;
    this.service = options.service;
    this.operation = options.operation;
    this.status = options.status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.reached = options.reached;
    this.argument = options.argument;
    this.cacheControl = options.cacheControl;
  }
}

export type ExecutionErrorKind =
  /** A function given to `map` threw or returned a promise. */
  | 'map-failed'
  /** A list given to `each` is longer than its `max`. */
  | 'too-many-items'
  /** What `each` was given is not a list. */
  | 'not-a-list'
  /** The assembled response does not fit the composition's `response` schema. */
  | 'response-mismatch'
  /** The request ran out of its time. */
  | 'deadline'
  /** A step that can be missed was left out, to relieve a gateway that has too much to do. */
  | 'shed'
  /** The client is gone. */
  | 'disconnected';

/** The plan itself could not be carried out. */
export class ExecutionError extends Error {
  override readonly name = 'ExecutionError';
  readonly kind: ExecutionErrorKind;

  constructor(kind: ExecutionErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What was thrown, as an error: anything can be. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
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

/** What kind of error it is, where that says nothing else: an error can be given any name. */
export function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return builtIn.has(thrown.name) ? thrown.name : 'Error';
}
