/**
 * Runs `compose` a second time, in another year, where it calls functions that cannot be read, such
 * as those of packages: a value that differs comes from a clock or a source of randomness.
 */
import type { AnyConfig } from '../dsl/composition.ts';
import { CompositionError } from '../errors.ts';
import { isPlainObject } from '../plain-object.ts';
import { runCompose } from './run-compose.ts';
import type { Composed } from './run-compose.ts';

/** @throws CompositionError that quotes the first value that is another the second time. */
export function refuseChange(name: string, first: Composed, config: AnyConfig): void {
  const second = runAgain(name, config);
  const difference = second && differenceOf(first, second);
  if (difference === undefined) return;
  throw new CompositionError(
    name,
    `compose() made ${difference[0]}, and ${difference[1]} when it was tried again. It runs at ` +
      'start-up only, so that every request would get the first. Compute what differs in map(), ' +
      'which runs for each request: map({}, () => …).',
  );
}

/** `undefined` for a `compose` that can run only once: nothing is known about its values. */
function runAgain(name: string, config: AnyConfig): Composed | undefined {
  try {
    return inAnotherYear(() => runCompose(name, config));
  } catch {
    return undefined;
  }
}

/** Every part of a date differs: 400 days, 1 hour, 1 minute, 1 second and 1 millisecond. */
const shiftMs = 400 * 86_400_000 + 3_661_001;

function inAnotherYear<T>(run: () => T): T {
  const real = globalThis.Date;
  const now = () => real.now() + shiftMs;
  globalThis.Date = new Proxy(real, {
    apply: () => new real(now()).toString(),
    construct: (target, given, made) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, made),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
  try {
    return run();
  } finally {
    globalThis.Date = real;
  }
}

type Difference = readonly [string, string];

/** The first scalars that differ. Operations and functions are not compared, but their places. */
function differenceOf(one: unknown, other: unknown): Difference | undefined {
  if (one === other || typeof one === 'function' || isOperation(one)) return undefined;
  if (!isTree(one) || !isTree(other)) return [shown(one), shown(other)];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const difference = differenceOf(Reflect.get(one, key), Reflect.get(other, key));
    if (difference) return difference;
  }
  return undefined;
}

function isTree(value: unknown): value is object {
  return Array.isArray(value) || isPlainObject(value);
}

function isOperation(value: unknown): boolean {
  return isPlainObject(value) && 'service' in value && 'route' in value;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
