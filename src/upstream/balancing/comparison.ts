/**
 * Comparison: finds an address that gives unreadable answers while its siblings do not. If all of
 * them do, the service has changed or its schema is wrong, which is no reason to eject an address.
 */
import type { Operation } from '../../dsl/operation.ts';
import type { AddressHealth } from './address-health.ts';

export interface Comparison {
  /**
   * Notes an answer, and returns whether its address has given `most` unreadable answers in a row
   * to the operation while `siblings` gave readable ones.
   */
  isOutlier(answer: JudgedAnswer, siblings: readonly AddressHealth[]): boolean;
}

export interface JudgedAnswer {
  readonly operation: Operation;
  readonly from: AddressHealth;
  readonly isReadable: boolean;
}

/** The latest answers of an address to one operation. Times are numbers of answers. */
interface Run {
  unreadable: number;
  beganAt: number;
  readableAt: number;
}

export function createComparison(most: number): Comparison {
  /** Only operations to which the latest answer of some address was unreadable. */
  const runs = new Map<Operation, Map<AddressHealth, Run>>();
  let answers = 0;

  function note({
    operation,
    from,
    isReadable,
  }: JudgedAnswer): Map<AddressHealth, Run> | undefined {
    const known = runs.get(operation);
    if (known === undefined && isReadable) return undefined;
    const own = known ?? new Map<AddressHealth, Run>();
    runs.set(operation, own);
    const run = own.get(from) ?? { unreadable: 0, beganAt: 0, readableAt: 0 };
    own.set(from, run);
    answers += 1;
    if (!isReadable && run.unreadable === 0) run.beganAt = answers;
    if (isReadable) run.readableAt = answers;
    run.unreadable = isReadable ? 0 : run.unreadable + 1;
    if ([...own.values()].every(({ unreadable }) => unreadable === 0)) runs.delete(operation);
    return own;
  }

  return {
    isOutlier(answer, siblings) {
      const own = note(answer);
      const run = own?.get(answer.from);
      if (own === undefined || run === undefined || run.unreadable < most) return false;
      const others = siblings.flatMap((sibling) => own.get(sibling) ?? []);
      const isOutlier =
        others.every(({ unreadable }) => unreadable === 0) &&
        others.some(({ readableAt }) => readableAt > run.beganAt);
      if (isOutlier) run.unreadable = 0;
      return isOutlier;
    },
  };
}
