/** Property tests: how many cases they try, and from which seeds. */
import * as fc from 'fast-check';

/** Half of the cases are the same in every run, on every machine. */
const fixedSeed = 20_261_125;
/** The others are new in every run, which prints this seed; `PROPERTY_SEED=…` repeats them. */
const freshSeed = Number(process.env['PROPERTY_SEED'] ?? fixedSeed);
/** Set by `npm run test:long`. */
const isLong = process.env['PROPERTIES'] === 'long';

const usualCases = 300;

export interface PropertyOptions {
  /** How many cases `npm run test:long` tries, by default 1,000; other runs try at most 300. */
  readonly full?: number;
}

/** Fails with the smallest counterexample to `property` that it finds, and with its seed. */
export function assertProperty<Case>(
  property: fc.IAsyncProperty<Case>,
  options?: PropertyOptions,
): Promise<void>;
export function assertProperty<Case>(property: fc.IProperty<Case>, options?: PropertyOptions): void;
export function assertProperty<Case>(
  property: fc.IAsyncProperty<Case> | fc.IProperty<Case>,
  { full = 1_000 }: PropertyOptions = {},
): Promise<void> | void {
  const numRuns = Math.ceil((isLong ? full : Math.min(usualCases, full)) / 2);
  const [fixed, fresh] = [fixedSeed, freshSeed].map((seed) => ({ seed, numRuns }));
  const first = fc.assert(property, fixed);
  if (first instanceof Promise) return first.then(() => fc.assert(property, fresh));
  return fc.assert(property, fresh);
}
