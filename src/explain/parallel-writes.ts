/** Writes of a plan that may run at the same time, since nothing puts one after the other. */
import type { Plan, PlanBlock, Step } from '../plan/plan.ts';
import { reachedFrom } from '../plan/visit.ts';

interface WriteOf {
  readonly step: Step;
  /** It, and the `given`s and `each`s around it. */
  readonly chain: readonly Step[];
  readonly isRepeated: boolean;
}

/** The names of writes that may run beside another, or beside itself for another item. */
export function parallelWrites(plan: Plan): readonly string[] {
  const writes = writesIn(plan.root, [], false);
  return writes
    .filter(
      (one) =>
        one.isRepeated || writes.some((other) => other !== one && !isOrdered(plan, one, other)),
    )
    .map(({ step }) => step.name);
}

function writesIn(block: PlanBlock, around: readonly Step[], isRepeated: boolean): WriteOf[] {
  return block.steps.flatMap((step) => {
    const chain = [...around, step];
    if ('block' in step) return writesIn(step.block, chain, isRepeated || step.kind === 'each');
    return step.kind === 'call' && !step.operation.safe ? [{ step, chain, isRepeated }] : [];
  });
}

function isOrdered(plan: Plan, one: WriteOf, other: WriteOf): boolean {
  return isAfter(plan, one, other) || isAfter(plan, other, one);
}

/** Whether `late`, or what it is inside of, needs `early`, or what that is inside of. */
function isAfter(plan: Plan, late: WriteOf, early: WriteOf): boolean {
  const needed = reachedFrom(
    late.chain.flatMap(({ needs }) => needs),
    (id) => plan.steps[id]?.needs ?? [],
  );
  return early.chain.some(({ id }) => needed.has(id));
}
