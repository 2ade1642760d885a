/** Tells failures that the client has caused from those of services. */
import type { InputName } from '../dsl/node.ts';
import { RequestError, UpstreamError } from '../errors.ts';
import type { InvalidField } from '../errors.ts';
import { toPointer } from '../json.ts';
import type { ClientInput, RequestPart } from '../plan/plan.ts';
import { StepError } from './step-error.ts';

const partOf = {
  params: 'path',
  query: 'query',
  body: 'body',
  headers: 'header',
  cookies: 'cookie',
  identity: 'identity',
} as const satisfies Record<InputName, InvalidField['in']>;

/**
 * The client's mistake behind a failure: an argument from the request that cannot be sent, or a
 * list in it that is too long for its `each`.
 */
export function blamedOnClient(error: unknown): RequestError | undefined {
  if (!(error instanceof StepError)) return undefined;
  const { reason, step } = error;
  if (reason.kind === 'too-many-items' && step.kind === 'each' && step.clientList !== undefined)
    return refusalOf(toField(error, step.clientList), `has more than ${step.max} items`);
  if (!(reason instanceof UpstreamError)) return undefined;
  if (reason.kind !== 'invalid-argument') return undefined;
  const among = reason.argument === undefined ? undefined : [reason.argument];
  const [found] = clientFieldsOf(error, among);
  if (found === undefined) return undefined;
  return refusalOf(found, 'cannot be used as an argument');
}

/** The client's mistake: a part of its request that cannot be used. */
export function invalidInput({ input, path }: RequestPart, detail: string): RequestError {
  return refusalOf({ in: partOf[input], pointer: toPointer(path.map(String)) }, detail);
}

function refusalOf(field: Omit<InvalidField, 'detail'>, detail: string): RequestError {
  return new RequestError('invalid-request', 'The request has invalid fields.', [
    { in: field.in, pointer: field.pointer, detail },
  ]);
}

/** The fields of the request that are arguments of a failed call, or parts of one `among` these. */
export function clientFieldsOf(error: StepError, among?: readonly string[]): ClientField[] {
  const { step } = error;
  if (step.kind !== 'call') return [];
  return step.clientInputs
    .filter((input) => among === undefined || among.includes(input.argument))
    .map((input) => toField(error, input));
}

/** The field at `rest` inside a part of the request that is in an argument of a failed call. */
export function fieldOfClient(
  error: StepError,
  input: ClientInput,
  rest: readonly string[],
): Omit<InvalidField, 'detail'> {
  const { in: part, pointer } = toField(error, { ...input, path: [...input.path, ...rest] });
  return { in: part, pointer };
}

interface ClientField extends Omit<InvalidField, 'detail'> {
  /** Whether the pointer leads into an item of a list. */
  readonly isInItem: boolean;
}

/** Where several items have failed together, the pointer ends at their list. */
function toField({ step, indexes }: StepError, { input, path }: RequestPart): ClientField {
  const keys = path.map((part) => (typeof part === 'string' ? part : indexes?.[step.depth - part]));
  const known = keys.includes(undefined) ? keys.slice(0, keys.indexOf(undefined)) : keys;
  return {
    in: partOf[input],
    pointer: toPointer(known.map(String)),
    isInItem: known.some((key) => typeof key === 'number'),
  };
}
