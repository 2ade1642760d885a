/** Finds calls that a 202 may answer, of which the response takes no notice. */
import { readsOf, sourcesOf } from '../dsl/node-traits.ts';
import type { Source } from '../dsl/node.ts';
import type { CallStep, Plan, Step } from './plan.ts';

/**
 * The calls whose declared `status` may be 202, where the response is always a 200 and neither that
 * status nor a `location` is used: it would say that work is done which has only been accepted.
 */
export function unnoticedAccepted(plan: Plan): readonly CallStep[] {
  const { answer, steps } = plan;
  const isAlways200 =
    answer === undefined || (answer.status.kind === 'literal' && answer.status.value === 200);
  if (!isAlways200) return [];
  const reads = readsIn(plan);
  return steps.filter(
    (step): step is CallStep =>
      step.kind === 'call' &&
      mayBeAccepted(step) &&
      !reads.some((source) => isNotice(source, step.id, steps)),
  );
}

function mayBeAccepted({ operation: { parts } }: CallStep): boolean {
  return parts?.status?.safeParse(202).success === true;
}

/** All that is read by steps, by the values of blocks, and by the headers of the response. */
function readsIn({ steps, root, answer }: Plan): readonly Source[] {
  const blocks = [root, ...steps.flatMap((step) => ('block' in step ? [step.block] : []))];
  return [
    // Those that tolerate a failure only hand on what they tolerate it of.
    ...steps.filter((step) => !('guarded' in step)).flatMap(readsOf),
    ...blocks.flatMap(({ template }) => sourcesOf(template)),
    ...(answer?.headers ?? []).flatMap(({ value }) => sourcesOf(value)),
  ];
}

/** Whether a source reads the status, the location, or more than one part of the call's value. */
function isNotice({ node, path }: Source, call: number, steps: readonly Step[]): boolean {
  if (unguarded(node, steps) !== call) return false;
  const [part, name] = path;
  return part === undefined || part === 'status' || (part === 'headers' && isLocation(name));
}

/** Whether a name is that of the location, or stands for all headers. */
function isLocation(name: string | undefined): boolean {
  return name === undefined || name === 'location';
}

/** The step inside `optional` and `fallback`. */
function unguarded(id: number, steps: readonly Step[]): number {
  const step = steps[id];
  return step && 'guarded' in step ? unguarded(step.guarded, steps) : id;
}
