/** One HTTP exchange over a pool: a request out, status, headers and bytes back, bounded and abortable. */
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
 * Sends `request` to the attempt's address. Settles as soon as its signal is aborted, and then breaks
 * the connection.
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

/** Collects one response. undici calls it; it has the state of one exchange and nothing else. */
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
    // Aborted while it waited for a connection.
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

  /** The body of a failure is not read: the status says all there is to know. */
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

/** How far the exchange came: undici starts a request when it has a connection for it. */
type Phase = 'connect' | 'request' | 'answer';

/** The errors of undici and the system → ours. */
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
  // undici gives parser errors no code. No cause: it carries the bytes it met.
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
