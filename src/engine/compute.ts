/** Runs the function of a `map`, whose result must be a value that JSON can carry. */
import { ExecutionError } from '../errors.ts';
import { hasMetUnheld } from '../json-numbers.ts';
import { NotJsonError, toJsonValue } from '../json-value.ts';
import type { MapStep } from '../plan/plan.ts';
import { guardInputs } from './map-inputs.ts';

/** @throws ExecutionError for a result that JSON cannot carry; also any error of the function. */
export function computed(step: MapStep, inputs: unknown): unknown {
  // Most processes never receive such a number, and need not look for one.
  if (!hasMetUnheld()) return checked(run(step, inputs));
  const { inputs: guarded, originals } = guardInputs(inputs, refuseToRead);
  return checked(run(step, guarded), originals);
}

function run({ compute }: MapStep, inputs: unknown): unknown {
  return compute(inputs as never); // `map` has typed them
}

function checked(value: unknown, originals?: ReadonlyMap<unknown, unknown>): unknown {
  if (value instanceof Promise) {
    value.catch(() => undefined); // or a rejection would be unhandled
    throw new ExecutionError('map-failed', 'map() was given an asynchronous function');
  }
  try {
    return toJsonValue(value, originals);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new ExecutionError(
      'map-failed',
      `the function given to map() returned ${error.found}, which JSON cannot carry`,
      { cause: error },
    );
  }
}

function refuseToRead(): never {
  throw new ExecutionError(
    'map-failed',
    'the function given to map() reads a number that no JavaScript type holds',
  );
}
