/** One HTTP exchange over a pool: sends a request, and reads status, headers and a bounded body. */
import { toError } from '../../errors.ts';
import type { Attempt } from '../call.ts';
import { callError } from '../call.ts';
import type { DispatchController, DispatchHandler } from './address.ts';
import type { HttpRequest } from './request.ts';

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/**
 * Sends `request` to the address of the attempt. If its signal is aborted, it settles at once and
 * closes the connection.
 */
export function exchange(attempt: Exchanged, request: HttpRequest): Promise<RawReply> {
  const { signal, address } = attempt;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const { method, target, headers, body } = request;
    const handler = new ReplyReader(attempt, resolve, reject);
    address.dispatch({ method, path: address.prefix + target, headers, body }, handler);
  });
}

export type Exchanged = Pick<Attempt, 'operation' | 'signal' | 'address'>;

/** Collects one response, as the handler that undici calls. */
class ReplyReader implements DispatchHandler {
  readonly #call: Exchanged;
  readonly #resolve: (reply: RawReply) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #chunks: Buffer[] = [];
  readonly #onAbort = (): void => this.#giveUp(this.#call.signal.reason);
  #controller: DispatchController | undefined;
  #status = 0;
  #headers: RawReply['headers'] = {};
  #size = 0;

  constructor(
    call: Exchanged,
    resolve: (reply: RawReply) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
    call.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: DispatchController): void {
    this.#controller = controller;
    // The signal may have been aborted while the request waited for a connection.
    if (this.#call.signal.aborted) controller.abort(toError(this.#call.signal.reason));
  }

  onResponseStart(_: DispatchController, status: number, headers: RawReply['headers']): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    const { maxBodyBytes } = this.#call.operation.policies;
    if (this.#size > maxBodyBytes) {
      this.#giveUp(
        callError(this.#call, 'too-large', `answered with more than ${maxBodyBytes} bytes`),
      );
    } else if (!this.#hasFailed()) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#release();
    const [only] = this.#chunks;
    const body =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: DispatchController, error: Error): void {
    this.#release();
    const phase = this.#status !== 0 ? 'answer' : this.#controller ? 'request' : 'connect';
    this.#settle(toCallError(this.#call, error, phase));
  }

  #giveUp(reason: unknown): void {
    this.#release();
    this.#settle(reason);
    this.#controller?.abort(toError(reason));
  }

  /** Resolves once the status says that the service has failed: the body is not needed then. */
  #settle(reason: unknown): void {
    if (this.#hasFailed()) {
      this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.alloc(0) });
    } else this.#reject(reason);
  }

  #hasFailed(): boolean {
    return this.#status > 299;
  }

  #release(): void {
    this.#call.signal.removeEventListener('abort', this.#onAbort);
  }
}

/** How far the exchange got. undici starts a request once it has a connection for it. */
type Phase = 'connect' | 'request' | 'answer';

/** Errors of undici and of the system → upstream errors. */
function toCallError(call: Exchanged, error: Error & { code?: string }, phase: Phase): Error {
  if (call.signal.aborted) return toError(call.signal.reason);
  const code = error.code ?? error.name;
  if (phase === 'connect') {
    return callError(call, 'connect', `no connection (${code})`, { cause: error });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return callError(call, 'too-large', 'answered with headers that are too large', {
      cause: error,
    });
  }
  // undici's parser errors have no code. No cause, since it contains the bytes that were received.
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return callError(call, 'invalid-body', `answered something that is not HTTP: ${error.message}`);
  }
  const [when, reached] =
    phase === 'answer'
      ? (['in the middle of its answer', { reached: 'headers' }] as const)
      : (['before it answered', {}] as const);
  return callError(call, 'reset', `the connection broke ${when} (${code})`, {
    cause: error,
    ...reached,
  });
}
