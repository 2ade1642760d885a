/** One line for every request that failed or is degraded: what went wrong, at which step, and whose request it was. */
import { StepError } from '../engine/step-error.ts';
import { ExecutionError } from '../errors.ts';
import type { Exchange, Handler } from '../http/exchange.ts';

export interface ReportOptions {
  readonly write: (text: string) => void;
  /** Adds what lies behind an error, with its place in the code. It may quote what services answered. */
  readonly withCauses: boolean;
}

export function reportFailures(options: ReportOptions): (next: Handler) => Handler {
  return (next) => async (request, exchange) => {
    const response = await next(request, exchange);
    const { error, degraded } = exchange;
    const head = headOf(request, exchange, response.status);
    if (error !== undefined && !isGone(error)) options.write(`${head} ${describe(error, options)}`);
    // A list may miss the same thing in each of its items: it is said once.
    const reasons = new Set(degraded.map((one) => describe(one.error, options)));
    for (const reason of reasons) options.write(`${head} degraded: ${reason}`);
    return response;
  };
}

function headOf(
  { method }: Request,
  { route, requestId, traceId }: Exchange,
  status: number,
): string {
  const trace = traceId === undefined ? '' : ` trace ${traceId}`;
  return `${status} ${method} ${route ?? ''} [${requestId}${trace}]`;
}

/** Nobody is there to miss the answer. */
function isGone(error: unknown): boolean {
  const reason = error instanceof StepError ? error.reason : error;
  return reason instanceof ExecutionError && reason.kind === 'disconnected';
}

function describe(error: unknown, { withCauses }: ReportOptions): string {
  if (!(error instanceof StepError) && !(error instanceof ExecutionError)) return stackOf(error);
  const { cause } = error instanceof StepError ? error.reason : error;
  return withCauses && cause instanceof Error
    ? `${error.message}\n${firstFrame(cause)}`
    : error.message;
}

/** An error that nobody foresaw is a mistake in here: all of it is of interest. */
function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function firstFrame({ name, message, stack = '' }: Error): string {
  const frame = stack.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `    ${name}: ${message}${frame === undefined ? '' : `\n    ${frame.trim()}`}`;
}
