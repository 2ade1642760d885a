/** Compares what a client gets with what the plan means. */
import type { Outcome } from '../../../src/engine/execution.ts';
import { StepError } from '../../../src/engine/step-error.ts';
import type { Degradation } from '../../../src/engine/step-error.ts';
import { RequestError } from '../../../src/errors.ts';
import { toProblem } from '../../../src/http/error-response.ts';
import { responderFor } from '../../../src/http/respond.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Meaning } from './meaning.ts';
import { internal, ofClient } from './result.ts';
import type { Missing } from './result.ts';

type Maybe<T> = T | undefined;

/** How an outcome contradicts a meaning; `undefined`: it does not, or nothing is certain. */
export function contradiction(outcome: Maybe<Outcome>, meaning: Maybe<Meaning>): unknown {
  if (meaning === undefined) return undefined;
  if (outcome?.kind === 'failed' && meaning.kind === 'failed') {
    const reason = reasonOf(outcome.error);
    return meaning.reasons.has(reason) ? undefined : { reason, instead: [...meaning.reasons] };
  }
  if (outcome?.kind !== 'answered' || meaning.kind !== 'answered')
    return { outcome, instead: meaning };
  const [value, instead] = [textOf(outcome.value), textOf(meaning.value)];
  if (value !== instead) return { value, instead };
  return areMissing(outcome.degraded, meaning.missing)
    ? undefined
    : { missing: outcome.degraded.map(told), instead: meaning.missing };
}

/** In their order; where some of them may be left out, in any. */
function areMissing(degraded: readonly Degradation[], missing: readonly Missing[]): boolean {
  if (missing.every(({ isOpen }) => !isOpen)) {
    const isInOrder = missing.every((part, index) => isThat(degraded[index], part));
    return isInOrder && degraded.length === missing.length;
  }
  return (
    missing.every((part) => part.isOpen || degraded.some((one) => isThat(one, part))) &&
    degraded.every((one) => missing.some((part) => isThat(one, part)))
  );
}

function isThat(one: Degradation | undefined, { step, pointers, reasons }: Missing): boolean {
  if (one === undefined) return false;
  const isReason = [...reasons].some((reason) => told(one).reason === reason.replace(ofClient, ''));
  return one.step === step && isReason && String(one.pointers) === String(pointers);
}

function told({ step, pointers, error }: Degradation) {
  return { step, pointers, reason: reasonOf(error) };
}

function reasonOf(error: unknown): string {
  if (error instanceof RequestError) {
    const isList = error.fields.some(({ detail }) => detail.startsWith('has more than'));
    return (isList ? 'too-many-items' : 'invalid-argument') + ofClient;
  }
  if (!(error instanceof StepError)) return internal;
  const { reason } = error;
  const status = 'status' in reason ? reason.status : undefined;
  return status === undefined ? reason.kind : `${reason.kind};status=${status}`;
}

/** Whether it is clear which failures are named, so that answers are the same to the letter. */
export function isCertain(meaning: Maybe<Meaning>): boolean {
  return meaning?.kind === 'answered'
    ? meaning.missing.every(({ reasons, isOpen }) => reasons.size === 1 && !isOpen)
    : meaning?.reasons.size === 1;
}

/** The answer that a client gets, as text; of a problem, its status and type. */
export async function answerOf(plan: Plan, outcome: Maybe<Outcome>): Promise<string> {
  if (outcome?.kind !== 'answered') {
    const { status, type } = toProblem(outcome?.error);
    return `${status} ${type}`;
  }
  if (textOf(outcome.value) === noText) return noText;
  const asked = { requestId: 'test', ifNoneMatch: undefined, elapsedMs: 0 };
  const response = responderFor(plan)(outcome, asked);
  return textOf([response.status, ...response.headers, await response.text()]);
}

const noText = 'has no form in JSON';

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return noText;
  }
}
