/** One HTTP exchange over a pool: sends a request, and reads status, headers and a bounded body. */
import { toError } from '../../errors.ts';
import type { Attempt } from '../call.ts';
import { callError } from '../call.ts';
import type { Connection, DispatchController, DispatchHandler } from './address.ts';
import { hasProblem, maxProblemBytes } from './problem-fields.ts';
import type { HttpRequest } from './request.ts';
import { toCallError } from './transport-error.ts';
import type { Phase } from './transport-error.ts';

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The target that has answered, if the service has redirected to it. */
  readonly target?: string | undefined;
}

/** An abandoned exchange, which no caller waits for. */
export interface Line {
  /** Closes the connection without calling `OnLineEnd`. */
  cut(): void;
}

/** Called when an abandoned exchange has ended; without a failure if it was answered. */
export type OnLineEnd = (failure: unknown, status?: number) => void;

/** Called when an exchange is abandoned, which runs on if it returns a listener for its end. */
export type MayGoOn = (line: Line) => OnLineEnd | undefined;

/**
 * Sends `request` to the address of the attempt. If its signal is aborted, it settles at once and
 * closes the connection, unless `mayGoOn` keeps it.
 */
export function exchange(
  attempt: Exchanged,
  request: HttpRequest,
  mayGoOn?: MayGoOn,
): Promise<RawReply> {
  const { signal, address } = attempt;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const { method, target, headers, body } = request;
    const handler = new ReplyReader(attempt, { resolve, reject, mayGoOn });
    const options = { method, path: address.prefix + target, headers, body };
    address.dispatch(options, handler, attempt.isOnNewConnection);
  });
}

export type Exchanged = Pick<Attempt, 'operation' | 'signal' | 'address' | 'isOnNewConnection'> &
  Partial<Pick<Attempt, 'onSent' | 'write'>> & {
    /** Whether the body of an answer that is no 2xx is read, too. Default `false`. */
    readonly readsFailures?: boolean;
  };

interface ReaderOptions {
  readonly resolve: (reply: RawReply) => void;
  readonly reject: (reason: unknown) => void;
  readonly mayGoOn: MayGoOn | undefined;
}

/** Collects one response, as the handler that undici calls. */
class ReplyReader implements DispatchHandler, Line {
  readonly #call: Exchanged;
  readonly #resolve: ReaderOptions['resolve'];
  readonly #reject: ReaderOptions['reject'];
  readonly #mayGoOn: MayGoOn | undefined;
  #chunks: Buffer[] = [];
  readonly #onAbort = (): void => this.#leave(this.#call.signal.reason);
  /** Set while the exchange runs on although no caller waits for it. */
  #onLateEnd: OnLineEnd | undefined;
  #controller: DispatchController | undefined;
  #connection: Connection | undefined;
  /** The bytes that its connection had received before, if that was used before. */
  #receivedBefore: number | undefined;
  #status = 0;
  #headers: RawReply['headers'] = {};
  #size = 0;

  constructor(call: Exchanged, { resolve, reject, mayGoOn }: ReaderOptions) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#mayGoOn = mayGoOn;
    call.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onConnection(connection: Connection): void {
    this.#connection = connection;
  }

  onRequestStart(controller: DispatchController): void {
    this.#controller = controller;
    this.#noteReuse();
    // The signal may have been aborted while the request waited for a connection.
    if (this.#call.signal.aborted && this.#onLateEnd === undefined)
      controller.abort(toError(this.#call.signal.reason));
    else this.#call.onSent?.();
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
      this.#call.write?.onAnswered(this.#status);
      this.#giveUp(
        callError(this.#call, 'too-large', `answered with more than ${maxBodyBytes} bytes`),
      );
    } else if (this.#isRead() && this.#onLateEnd === undefined) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  onResponseEnd(): void {
    this.#release();
    this.#call.write?.onAnswered(this.#status);
    if (this.#onLateEnd !== undefined) return this.#settle(undefined);
    const [only] = this.#chunks;
    const body =
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_: DispatchController, error: Error): void {
    this.#release();
    const phase = this.#phase();
    const isLate = this.#onLateEnd !== undefined;
    const isAborted = this.#call.signal.aborted && !isLate;
    this.#settle(
      isAborted ? toError(this.#call.signal.reason) : toCallError(this.#call, error, phase),
    );
  }

  #phase(): Phase {
    if (this.#controller === undefined) return 'connect';
    if (this.#status !== 0) return 'answer';
    return this.#isStale() ? 'idle' : 'request';
  }

  #noteReuse(): void {
    if (this.#connection === undefined) return;
    if (this.#connection.started > 0) this.#receivedBefore = this.#connection.received ?? unknown;
    this.#connection.started += 1;
  }

  /** Whether the connection was idle before, and has received nothing since. */
  #isStale(): boolean {
    if (this.#receivedBefore === undefined || this.#connection === undefined) return false;
    return this.#receivedBefore === (this.#connection.received ?? unknown);
  }

  cut(): void {
    this.#onLateEnd = undefined;
    this.#controller?.abort(toError(this.#call.signal.reason));
  }

  /** Called when the signal is aborted. */
  #leave(reason: unknown): void {
    this.#release();
    if (!this.#hasFailed()) this.#onLateEnd = this.#mayGoOn?.(this);
    if (this.#onLateEnd === undefined) return this.#giveUp(reason);
    this.#chunks = [];
    this.#reject(reason);
  }

  #giveUp(reason: unknown): void {
    this.#release();
    this.#settle(reason);
    this.#controller?.abort(toError(reason));
  }

  /** Resolves once the status says that the service has failed: the body is not needed then. */
  #settle(reason: unknown): void {
    if (this.#onLateEnd !== undefined) return this.#endLate(reason);
    if (this.#hasFailed()) {
      this.#call.write?.onAnswered(this.#status);
      this.#resolve({ status: this.#status, headers: this.#headers, body: Buffer.alloc(0) });
    } else this.#reject(reason);
  }

  #endLate(reason: unknown): void {
    const status = this.#status === 0 ? undefined : this.#status;
    const failure = this.#hasFailed()
      ? callError(this.#call, 'status', `answered ${status}`, { status: this.#status })
      : reason;
    this.#onLateEnd?.(failure, failure === undefined ? status : undefined);
    this.#onLateEnd = undefined;
  }

  /** Whether its body is of use. */
  #isRead(): boolean {
    if (!this.#hasFailed() || this.#call.readsFailures === true) return true;
    return hasProblem(this.#call, this.#status) && this.#size <= maxProblemBytes;
  }

  #hasFailed(): boolean {
    return this.#status > 299;
  }

  #release(): void {
    this.#call.signal.removeEventListener('abort', this.#onAbort);
  }
}

/** Stands for a number of bytes that is not known. */
const unknown = -1;
