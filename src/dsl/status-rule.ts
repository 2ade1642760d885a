/** `status` of a failure inside an answer: a status, the place of one, or a table of codes. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { hasField, isPlainObject } from '../plain-object.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { mayHavePath, parsePath, readPath } from './path.ts';
import type { Path, PathOf, Scalar } from './path.ts';
import { shownValue } from '../shown-value.ts';

/** A status; the path to one; or the path to a code, and the statuses that codes stand for. */
export type StatusRule<At extends string> =
  | number
  | At
  | {
      readonly at: At;
      readonly values: Readonly<Record<string, number>>;
      /** The status of codes that are not listed. Default 502. */
      readonly otherwise?: number;
    };

/** The rule for values whose type is known. */
export type StatusIn<T> = StatusRule<PathOf<T, Scalar>>;

/** The rule, checked. */
export interface CheckedStatus {
  /** The path to the status or code; absent if every failure has the status `otherwise`. */
  readonly at: Path | undefined;
  /** The statuses of codes; absent if the code is the status. */
  readonly values: Readonly<Record<string, number>> | undefined;
  readonly otherwise: number;
}

/** The status of a failure that has none that can be used. */
const unknownStatus = 502;

/** `knob`: the name of the option; `holder`: that of the schema, if there is one. */
export interface StatusPlace {
  readonly knob: string;
  readonly schema?: z.ZodType;
  readonly holder?: string;
  readonly place: string;
}

export function checkedStatus(rule: unknown, where: StatusPlace): CheckedStatus {
  const { knob, place } = where;
  if (typeof rule === 'number')
    return { at: undefined, values: undefined, otherwise: checkedCode(rule, knob, place) };
  if (typeof rule === 'string')
    return { at: checkedPath(rule, where), values: undefined, otherwise: unknownStatus };
  refuseUnknownKnobs(Object(rule), ['at', 'values', 'otherwise'], place, knob);
  const { at, values, otherwise = unknownStatus } = Object(rule);
  if (values !== undefined && !isPlainObject(values)) {
    const problem = `${knob}.values is ${shownValue(values)}. Write { CODE: 404 }.`;
    throw new CompositionError(place, problem);
  }
  for (const [code, value] of Object.entries(Object(values)))
    checkedCode(value, `${knob}.values["${code}"]`, place);
  return {
    at: checkedPath(at, where),
    values: Object.freeze({ ...values }),
    otherwise: checkedCode(otherwise, `${knob}.otherwise`, place),
  };
}

function checkedCode(status: unknown, knob: string, place: string): number {
  if (isFailing(status)) return status;
  throw new CompositionError(
    place,
    `${knob} is ${shownValue(status)}, which is not a failure. Use 400 to 599.`,
  );
}

function isFailing(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}

function checkedPath(text: unknown, { knob, schema, holder, place }: StatusPlace): Path {
  const path = parsePath(text, knob, place);
  if (schema === undefined || mayHavePath(schema, path)) return path;
  throw new CompositionError(
    place,
    `${knob} is "${path.text}", which ${holder} does not have. Use a path to a field of it, as ` +
      'in "error.code".',
  );
}

/** The status of a failure; 502 if it has none that is one. */
export function statusIn({ at, values, otherwise }: CheckedStatus, value: unknown): number {
  if (at === undefined) return otherwise;
  const code = readPath(value, at);
  if (!isCode(code)) return otherwise;
  const status =
    values === undefined ? Number(code) : hasField(values, String(code)) && values[String(code)];
  return isFailing(status) ? status : otherwise;
}

function isCode(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}

/** `error.code`, or the status that all failures have. */
export function shownStatus({ at, otherwise }: CheckedStatus): string {
  return at === undefined ? String(otherwise) : at.text;
}
