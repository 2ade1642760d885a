/** `plait check`: lists the compositions, or every load-time error at once. */
import { LoadError } from '../errors.ts';
import { loadCompositions } from '../load-compositions.ts';

/** @throws LoadError when any composition does not load. */
export async function check({ folder }: { folder: string }): Promise<void> {
  const { plans, errors } = await loadCompositions(folder);
  if (errors.length > 0) throw new LoadError(errors);
  for (const { route, name } of plans) console.log(`${route.text}  (${name})`);
  console.log(`${plans.length} composition${plans.length === 1 ? '' : 's'}, no errors`);
}
