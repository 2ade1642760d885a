/** How steps end, as far as it is certain: the results that the meaning of a plan is made of. */

/** A part that is missing, since a guard has replaced it. */
export interface Missing {
  readonly step: string;
  readonly pointers: readonly string[];
  /** The reasons that may be named: one of them is. */
  readonly reasons: ReadonlySet<string>;
  /** Whether it may be left out, since it depends on which of several failures comes first. */
  readonly isOpen: boolean;
}

/** Marks the reason of a failure that, if it fails the request, is the client's mistake. */
export const ofClient = ' of client';

/** An error that nobody declared: no guard tolerates it. */
export const internal = 'internal';

/** Entries, and whether each depends on which of several failures comes first. */
export type Open<T> = ReadonlyMap<T, boolean>;

export type Part = Omit<Missing, 'isOpen'>;

/** How a step, or a block, ends for one item. */
export type Result = (Valued | Failing) & {
  /** Whether it ends only when the request is cut off. */
  readonly isLate: boolean;
  /** The parts that are missing in the value. */
  readonly missing: Open<Part>;
};

/** A result with the numbers of the steps that it comes from. */
export type StepResult = Result & { readonly sources: Open<number> };

interface Valued {
  readonly value: unknown;
  readonly reasons?: undefined;
}

interface Failing {
  readonly value?: undefined;
  readonly reasons: ReadonlySet<string>;
  /** The reasons that are known before the request is cut off: one of them ends the block. */
  readonly early: ReadonlySet<string>;
  /** Whether it is the failure of an item, which may wait for other items until the cut. */
  readonly isLoose?: boolean;
}

/** Thrown where the outcome depends on which of several things happens first. */
export class Undecided extends Error {}

export function valued(value: unknown, isLate: boolean): Result {
  return { value, isLate, missing: none };
}

export function failed(
  reasons: Iterable<string>,
  { isLate, early, isLoose = false }: Pick<Result, 'isLate'> & Partial<Failing>,
): Result {
  const all = new Set(reasons);
  const known = early ?? (isLate ? new Set() : all);
  return { reasons: all, early: known, isLoose, isLate, missing: none };
}

/** Fails with `internal` if reading a value throws, as fields that a schema made can do. */
export function attempt(work: () => unknown, isLate: boolean): Result {
  try {
    return valued(work(), isLate);
  } catch (error) {
    if (error instanceof Undecided) throw error;
    return failed([internal], { isLate });
  }
}

export const none: Open<never> = new Map<never, boolean>();

export const noReasons: ReadonlySet<string> = new Set<string>();

/** The union of parts that are all there. */
export function allOf<T>(parts: readonly Open<T>[]): Map<T, boolean> {
  const all = new Map<T, boolean>();
  for (const part of parts)
    for (const [one, isOpen] of part) all.set(one, isOpen && all.get(one) !== false);
  return all;
}

/** The union of parts of which only one is there, and it is open which. */
export function oneOf<T>(parts: readonly Open<T>[]): Map<T, boolean> {
  const isCertain = (one: T): boolean => parts.every((part) => part.get(one) === false);
  return new Map(parts.flatMap((part) => [...part.keys()].map((one) => [one, !isCertain(one)])));
}

export function failuresOf(results: readonly Result[]): ReadonlySet<string> {
  return new Set(results.flatMap((one) => [...(one.reasons ?? [])]));
}

export function earlyOf(results: readonly Result[]): ReadonlySet<string> {
  return new Set(results.flatMap((one) => (one.reasons === undefined ? [] : [...one.early])));
}
