/** The arguments of calls: checks their names, for files that `tsc` has not seen. */
import { CompositionError } from '../errors.ts';
import { saysOptional } from '../schema.ts';
import type { Draft } from './draft.ts';
import { headersProblem } from './header-arguments.ts';
import type { Template } from './node.ts';
import type { Operation } from './operation.ts';
import { toTemplate } from './template.ts';

/** The arguments that a word such as `call` was given for an operation. */
interface Given {
  readonly operation: Operation;
  readonly args: object;
}

/** @throws CompositionError for arguments that the operation does not take, or that it lacks. */
export function checkedArguments(
  draft: Draft,
  word: 'call' | 'pages',
  { operation, args }: Given,
): Template {
  const place = `${word}(${operation.name})`;
  checkNames(draft, place, { operation, args });
  return toTemplate(draft, args, place);
}

function checkNames({ place: file }: Draft, place: string, { operation, args }: Given): void {
  if (typeof args !== 'object' || args === null) {
    throw new CompositionError(
      file,
      `${place} needs its arguments, written out: ${place.replace(')', '')}, { name: value }).`,
    );
  }
  const known = argumentNames(operation);
  const unknown = Object.keys(args).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new CompositionError(
      file,
      `${place} has no argument "${unknown}". It takes: ${known.join(', ') || 'none'}.`,
    );
  }
  const missing = requiredNames(operation).find((name) => !Object.hasOwn(args, name));
  if (missing !== undefined) {
    throw new CompositionError(
      file,
      `${place} is missing its argument "${missing}". It takes: ${known.join(', ')}.`,
    );
  }
  const problem = operation.headers && headersProblem(operation.headers, args);
  if (problem !== undefined) throw new CompositionError(file, `${place} ${problem}`);
}

function argumentNames(operation: Operation): string[] {
  const body = operation.body === undefined ? [] : ['body'];
  const headers = operation.headers?.names.length ? ['headers'] : [];
  const query = Object.keys(operation.query?.shape ?? {});
  return [...new Set([...requiredNames(operation), ...body, ...query, ...headers])];
}

function requiredNames(operation: Operation): string[] {
  return [
    ...operation.route.params,
    ...(operation.lookup?.arguments ?? []),
    ...(operation.body === undefined || saysOptional(operation.body) ? [] : ['body']),
    ...(operation.headers?.required.length ? ['headers'] : []),
  ];
}
