/** Warnings of a plan: what works as it is written and is probably not meant so. */
import { sourcesOf } from '../dsl/node-traits.ts';
import { operationName } from '../dsl/operation.ts';
import type { CallStep, Plan, Step } from './plan.ts';
import { unnoticedAccepted } from './accepted.ts';
import { idsOf, reachedFrom } from './visit.ts';

/** Less than most services take for one answer. */
const shortDeadlineMs = 20;

export function warningsOf(plan: Plan): string[] {
  const { name, deadlineMs } = plan;
  const unused = unusedReads(plan).map(
    (step) =>
      `${name}: nothing uses the value of "${step.name}" (${operationName(step.operation)}), ` +
      'which is called all the same. Remove it; if it checks a permission, put what depends on ' +
      'it into after().',
  );
  const accepted = unnoticedAccepted(plan).map(
    (step) =>
      `${name}: "${step.name}" (${operationName(step.operation)}) may answer 202, which says that ` +
      'its work is not done yet, but the response is always a 200. Use its status, as in ' +
      'answer(…, { status: step.status }), or its headers.location.',
  );
  if (deadlineMs >= shortDeadlineMs) return [...unused, ...accepted];
  return [
    ...unused,
    ...accepted,
    `${name}: deadlineMs is ${deadlineMs}, which is less than most calls take. It is in ` +
      'milliseconds.',
  ];
}

/** The reads whose values reach neither the response nor a write, and that nothing comes after. */
function unusedReads({ steps, root, answer }: Plan): readonly CallStep[] {
  const headers = answer?.headers.map(({ value }) => value) ?? [];
  const templates = [root.template, ...(answer ? [answer.status, ...headers] : [])];
  const used = reachedFrom(
    [...idsOf(templates.flatMap(sourcesOf)), ...steps.filter(isWrite).map(({ id }) => id)],
    (id) => readBy(steps[id]),
  );
  return steps.filter(
    (step): step is CallStep => step.kind === 'call' && step.operation.safe && !used.has(step.id),
  );
}

/** Whether it changes something, or runs a step that does. */
function isWrite(step: Step): boolean {
  if ('block' in step) return step.block.steps.some(isWrite);
  return step.kind === 'call' && !step.operation.safe;
}

function readBy(step: Step | undefined): readonly number[] {
  if (step === undefined) return [];
  return 'block' in step ? [...step.needs, ...idsOf(sourcesOf(step.block.template))] : step.needs;
}
