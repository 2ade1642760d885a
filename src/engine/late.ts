/**
 * `withinMs`: ends a tolerated step that takes longer, so that its guard takes its value. Calls that
 * are under way end with the request, since another step may have joined them; writes run on.
 */
import { ExecutionError } from '../errors.ts';
import type { Step } from '../plan/plan.ts';
import { failBlock } from './block.ts';
import type { Work } from './work.ts';

/** To be called when the step has begun. */
export function endAfter(work: Work, withinMs: number): void {
  const { clock, signal } = work.frame.execution;
  const cancelTimer = clock.after(withinMs, () => endLate(work, withinMs));
  function stop(): void {
    cancelTimer();
    signal.removeEventListener('abort', stop);
  }
  signal.addEventListener('abort', stop, { once: true });
  work.onceOver(stop);
}

function endLate(work: Work, withinMs: number): void {
  const error = new ExecutionError('late', `took longer than ${withinMs} ms (withinMs)`);
  const isUncertain = mayHaveWritten(work);
  const failure = work.failureOf(error, { item: undefined, isUncertain });
  work.failOpen(error, failure);
  // Nothing more of it begins, writes above all.
  for (const frame of work.inside ?? []) failBlock(frame, failure);
}

/** Whether a write in the step was sent without an answer so far, or may still be sent. */
function mayHaveWritten({ step, frame }: Work): boolean {
  const { writes } = frame.execution;
  return writes !== undefined && writes.mayBeDoneIn(new Set(namesIn(step)));
}

function namesIn(step: Step): string[] {
  return [step.name, ...('block' in step ? step.block.steps.flatMap(namesIn) : [])];
}
