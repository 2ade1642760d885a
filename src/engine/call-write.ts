/** Makes the writes of a step, which run on once they were sent, even if the request ends. */
import type { CallStep } from '../plan/plan.ts';
import type { Call, Reply } from '../upstream/call.ts';
import { idempotencyHeaders } from './idempotency-key.ts';
import type { Work } from './work.ts';
import { Writes } from './writes.ts';

export interface WriteOptions {
  readonly args: Call['args'];
  readonly onReply: (reply: Reply) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Calls an operation that writes. The step fails when its request ends, like any other step. The
 * call itself ends when the service has answered, or at its own timeout.
 */
export function callWrite(
  work: Work,
  step: CallStep,
  item: number,
  { args, onReply, onError }: WriteOptions,
): void {
  const { frame } = work;
  const { execution } = frame;
  const { calls, signal } = execution;
  const headers = idempotencyHeaders(work.frame, step, item);
  const write = (execution.writes ??= new Writes()).begin({ frame, step, item }, headers);
  const leave = (): void => fail(signal.reason, write.isSent);

  function fail(error: unknown, isUncertain: boolean): void {
    work.fail(item, error, work.failureOf(error, { item, isUncertain }));
  }

  signal.addEventListener('abort', leave, { once: true });
  calls.call(step.operation, args, work.trace, { write }).then(succeed, endWith);

  function succeed(reply: Reply): void {
    signal.removeEventListener('abort', leave);
    write.succeed(reply.status);
    onReply(reply);
  }

  function endWith(error: unknown): void {
    signal.removeEventListener('abort', leave);
    write.fail(error);
    onError(error);
    fail(error, write.state === 'unknown');
  }
}
