/** Warnings of a plan: what works as it is written and is probably not meant so. */
import type { z } from 'zod';
import { sourcesOf } from '../dsl/node-traits.ts';
import { operationName } from '../dsl/operation.ts';
import { fieldsOf } from '../schema.ts';
import { defOf, inputsOf } from '../schema-parts.ts';
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
  const always = alwaysTrue(plan).map(
    (field) =>
      `${name}: ${field} is z.coerce.boolean(), for which every text but an empty one is true, ` +
      '"false" too. Use z.stringbool().',
  );
  if (deadlineMs >= shortDeadlineMs) return [...unused, ...accepted, ...always];
  return [
    ...unused,
    ...accepted,
    ...always,
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

/** The fields of query, path, headers and cookies that are true for nearly every text. */
function alwaysTrue({ schemas: { params, query, headers, cookies } }: Plan): readonly string[] {
  const parts = Object.entries({ params, query, headers, cookies });
  return parts.flatMap(([part, schema]) =>
    Object.entries(schema === undefined ? {} : (fieldsOf(schema, 'in') ?? {}))
      .filter(([, field]) => [...inputsOf(field)].some(isCoercedBoolean))
      .map(([name]) => `${part}.${name}`),
  );
}

function isCoercedBoolean(schema: z.core.$ZodType): boolean {
  const def = defOf(schema);
  return def.type === 'boolean' && def.coerce === true;
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
