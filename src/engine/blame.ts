/** Tells failures that the client has caused from those of services. */
import { sourcesOf } from '../dsl/node-traits.ts';
import type { InputName, Source } from '../dsl/node.ts';
import { RequestError, UpstreamError } from '../errors.ts';
import type { InvalidField } from '../errors.ts';
import { toPointer } from '../json.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { StepError } from './step-error.ts';

const partOf = {
  params: 'path',
  query: 'query',
  body: 'body',
  headers: 'header',
} as const satisfies Record<InputName, InvalidField['in']>;

/** The client's mistake behind a failure: an argument from the request that cannot be sent. */
export function blamedOnClient(plan: Plan, error: unknown): RequestError | undefined {
  if (!(error instanceof StepError) || !(error.reason instanceof UpstreamError)) return undefined;
  const { argument, kind } = error.reason;
  if (kind !== 'invalid-argument' || argument === undefined) return undefined;
  const [source] = sourcesOfArgument(error.step, argument);
  const input = source && plan.steps[source.node];
  if (source === undefined || input?.kind !== 'input') return undefined;
  return new RequestError('invalid-request', 'The request has invalid fields.', [
    {
      in: partOf[input.input],
      pointer: toPointer(source.path),
      detail: 'cannot be used as an argument',
    },
  ]);
}

function sourcesOfArgument(step: Step, argument: string): readonly Source[] {
  if (step.kind !== 'call' || step.args.kind !== 'object') return [];
  return step.args.entries
    .filter(([name]) => name === argument)
    .flatMap(([, template]) => sourcesOf(template));
}
