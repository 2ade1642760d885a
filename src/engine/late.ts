/**
 * `withinMs`: ends a tolerated step that takes longer, so that its guard takes its value. Calls
 * that are under way end with the request, since another step may have joined them; writes run on.
 */
import { ExecutionError } from '../errors.ts';
import type { Step } from '../plan/plan.ts';
import { failBlock } from './block.ts';
import { frameOf, stepOf } from './frame.ts';
import type { Frame } from './frame.ts';
import type { Work } from './work.ts';

/** Notes when a bounded step has begun, for the second source that shares its time. */
export function noteTime({ frame, step }: Work): void {
  (frame.begunAt ??= [])[step.slot] = begunAt(frame, step);
}

/** How long a step may still take, in milliseconds. */
export function timeLeft({ frame, step }: Pick<Work, 'frame' | 'step'>): number {
  const { limitMs = Infinity } = step;
  return limitMs - (frame.execution.clock.now() - begunAt(frame, step));
}

/** A second source has begun with the step that it is the second source of. */
function begunAt(frame: Frame, step: Step): number {
  if (step.kind !== 'instead') return frame.begunAt?.[step.slot] ?? frame.execution.clock.now();
  const guarded = stepOf(frame, step.guarded);
  return begunAt(frameOf(frame, guarded), guarded);
}

/** To be called when the step has begun, with the time that it has left. */
export function endAfter(work: Work, leftMs: number): void {
  const { clock, signal } = work.frame.execution;
  const cancelTimer = clock.after(leftMs, () => endLate(work));
  function stop(): void {
    cancelTimer();
    signal.removeEventListener('abort', stop);
  }
  signal.addEventListener('abort', stop, { once: true });
  work.onceOver(stop);
}

function endLate(work: Work): void {
  const { limitMs } = work.step;
  const error = new ExecutionError('late', `took longer than ${limitMs} ms (withinMs)`);
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
