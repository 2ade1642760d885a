/** Tells failures that the client has caused from those of services. */
import type { InputName } from '../dsl/node.ts';
import { RequestError, UpstreamError } from '../errors.ts';
import type { InvalidField } from '../errors.ts';
import { toPointer } from '../json.ts';
import { StepError } from './step-error.ts';

const partOf = {
  params: 'path',
  query: 'query',
  body: 'body',
  headers: 'header',
} as const satisfies Record<InputName, InvalidField['in']>;

/** The client's mistake behind a failure: an argument from the request that cannot be sent. */
export function blamedOnClient(error: unknown): RequestError | undefined {
  if (!(error instanceof StepError) || !(error.reason instanceof UpstreamError)) return undefined;
  const { step, reason } = error;
  if (reason.kind !== 'invalid-argument' || step.kind !== 'call') return undefined;
  const found = step.clientInputs.find(({ argument }) => argument === reason.argument);
  if (found === undefined) return undefined;
  return new RequestError('invalid-request', 'The request has invalid fields.', [
    {
      in: partOf[found.input],
      pointer: toPointer(found.path),
      detail: 'cannot be used as an argument',
    },
  ]);
}
