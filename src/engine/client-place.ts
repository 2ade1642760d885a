/**
 * Finds the place in the client's request of a value that a service calls wrong: only where that
 * came into the call unchanged. Services name places in their own ways.
 */
import type { Operation } from '../dsl/operation.ts';
import type { InvalidField } from '../errors.ts';
import type { ClientInput } from '../plan/plan.ts';
import { fieldsOf } from '../schema.ts';
import { keepsPlaces } from '../schema-places.ts';
import { fieldOfClient } from './blame.ts';
import type { StepError } from './step-error.ts';

/** `undefined` where the place is not, or not certainly, the client's. */
export function clientPlaceOf(
  error: StepError,
  names: readonly string[],
): Omit<InvalidField, 'detail'> | undefined {
  const { step } = error;
  if (step.kind !== 'call') return undefined;
  const [argument = '', ...inside] = placeInArguments(step.operation, names);
  const found = inputAt(step.clientInputs, argument, inside);
  if (found === undefined || !isSent(step.operation, argument, inside)) return undefined;
  const rest = inside.slice(found.at.length);
  return isUnchanged(found, rest) ? fieldOfClient(error, found, rest) : undefined;
}

/** The parts of a request, as services call them, and how names of arguments begin there. */
const prefixes: Readonly<Record<string, string>> = {
  query: '',
  path: '',
  params: '',
  header: 'headers.',
  headers: 'headers.',
};

/** The argument that the names lead into, and the place in it. Most often that is the body. */
function placeInArguments({ body }: Operation, names: readonly string[]): readonly string[] {
  const [first = '', second = '', ...rest] = names;
  const fields = body && fieldsOf(body);
  if (fields && Object.hasOwn(fields, first)) return ['body', ...names];
  if (body !== undefined && (first === 'body' || names.length === 0))
    return ['body', ...names.slice(1)];
  const prefix = Object.hasOwn(prefixes, first) ? prefixes[first] : undefined;
  if (prefix !== undefined && second !== '')
    return [prefix + (prefix === '' ? second : second.toLowerCase()), ...rest];
  return body !== undefined && fields === undefined ? ['body', ...names] : names;
}

/** The innermost argument, or part of one, from the request around a place in an argument. */
function inputAt(
  inputs: readonly ClientInput[],
  argument: string,
  inside: readonly string[],
): ClientInput | undefined {
  return inputs
    .filter((input) => input.argument === argument)
    .filter(({ at }) => at.every((name, index) => inside[index] === name))
    .toSorted((one, other) => other.at.length - one.at.length)[0];
}

/** Whether what is sent at a place is what the call was given there. */
function isSent({ body }: Operation, argument: string, inside: readonly string[]): boolean {
  return argument !== 'body' || body === undefined || keepsPlaces(body, inside);
}

/** Whether what was given to the call is the client's as it was sent, also inside the value. */
function isUnchanged({ schema, shapes, path }: ClientInput, rest: readonly string[]): boolean {
  const [first = '', second = ''] = rest;
  const name = /^\d+$/.test(first) ? second : first;
  const isKept = shapes.every(({ mode, keys }) => keys.includes(name) === (mode === 'pick'));
  if (rest.length > 0 && !isKept) return false;
  return schema === undefined || keepsPlaces(schema, [...path.map(String), ...rest]);
}
