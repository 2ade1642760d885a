/** Runs the function of a `map`, whose result must be a value that JSON can carry. */
import { ExecutionError } from '../errors.ts';
import { hasMetUnheld } from '../exact-number.ts';
import type { MapStep } from '../plan/plan.ts';
import { carried } from './carried.ts';
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
  const maker = 'the function given to map() returned';
  return carried(value, { kind: 'map-failed', maker, originals });
}

function refuseToRead(): never {
  throw new ExecutionError(
    'map-failed',
    'the function given to map() reads a number that no JavaScript type holds',
  );
}
