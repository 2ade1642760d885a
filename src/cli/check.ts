/** `plait check`: lists the compositions, or every load-time error at once. */
import { LoadError } from '../errors.ts';
import { writesOf } from '../explain/draw-tree.ts';
import { parallelWrites } from '../explain/parallel-writes.ts';
import { loadCompositions } from '../load-compositions.ts';

/** @throws LoadError when any composition does not load. */
export async function check({ folder }: { folder: string }): Promise<void> {
  const { plans, errors } = await loadCompositions(folder);
  if (errors.length > 0) throw new LoadError(errors);
  for (const plan of plans) {
    console.log(`${plan.route.text}  (${plan.name})`);
    const writes = parallelWrites(plan);
    if (writes.length > 0) console.log(`  ${writesOf(writes)} (after() puts one behind the other)`);
  }
  console.log(`${plans.length} composition${plans.length === 1 ? '' : 's'}, no errors`);
}
