/** `failure`: answers that are failures although their status is a 2xx, and their statuses. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { parseJsonBy } from '../parse.ts';
import type { Numbers } from '../parse.ts';
import { hasField } from '../plain-object.ts';
import { refuseAsynchronous } from './asynchronous.ts';
import { bodyKindOf, refuseKinds } from './body-kind.ts';
import { ignoredBody } from './ignored-body.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { mayHavePath, parsePath, readPath } from './path.ts';
import type { Path, PathOf, Scalar } from './path.ts';

/** A status; the path to one; or the path to a code, and the statuses that codes stand for. */
export type StatusRule<T> =
  | number
  | PathOf<T, Scalar>
  | {
      readonly at: PathOf<T, Scalar>;
      readonly values: Readonly<Record<string, number>>;
      /** The status of codes that are not listed. Default 502. */
      readonly otherwise?: number;
    };

export interface FailureConfig<Body extends z.ZodType> {
  /** A schema that only failures fit, as by a `z.literal(false)`. */
  readonly body: Body;
  /** The status, 400 to 599, that such an answer counts as. What is no such status counts as 502. */
  readonly status: StatusRule<NoInfer<z.output<Body>>>;
}

/** The rule, checked. */
export interface FailureRule {
  readonly body: z.ZodType;
  /** The path to the status or code; absent if every failure has the status `otherwise`. */
  readonly at: Path | undefined;
  /** The statuses of codes; absent if the code is the status. */
  readonly values: Readonly<Record<string, number>> | undefined;
  readonly otherwise: number;
}

/** The status of a failure whose body has none that can be used. */
const unknownStatus = 502;

/** `body`: the schema of the operation's response body; absent for a lookup. */
export function checkedFailure(
  config: FailureConfig<z.ZodType> | undefined,
  { body, place }: { readonly body: z.ZodType | undefined; readonly place: string },
): FailureRule | undefined {
  if (config === undefined) return undefined;
  refuseUnknownKnobs(config, ['body', 'status'], `${place}: failure`);
  if (body !== undefined && bodyKindOf(body).kind === 'bytes')
    throw new CompositionError(
      place,
      'failure looks into the body, but bytes are passed on unread.',
    );
  if (body === ignoredBody)
    throw new CompositionError(
      place,
      'failure looks into the body, which the response leaves out. Give it a schema, as z.unknown().',
    );
  refuseUnusableBody(config.body, place);
  return Object.freeze({ body: config.body, ...checkedStatus(config, place) });
}

function refuseUnusableBody(schema: unknown, place: string): void {
  if (!(schema instanceof z.ZodType)) {
    const advice = 'Use zod, as in z.object({ success: z.literal(false) }).';
    throw new CompositionError(place, `failure.body is not a schema. ${advice}`);
  }
  refuseAsynchronous({ 'failure.body': schema }, place);
  refuseKinds('failure.body', schema, { kinds: [], place });
  if (![null, {}, []].some((empty) => schema.safeParse(empty).success)) return;
  throw new CompositionError(
    place,
    'failure.body fits an empty answer, so every answer might be a failure. Name a field that only ' +
      'failures have, as in z.object({ success: z.literal(false) }).',
  );
}

function checkedStatus(
  { body, status }: FailureConfig<z.ZodType>,
  place: string,
): Omit<FailureRule, 'body'> {
  // The paths of a schema that is not known are none, but a file may be JavaScript.
  const rule: unknown = status;
  if (typeof rule === 'number')
    return { at: undefined, values: undefined, otherwise: checkedCode(rule, 'status', place) };
  if (typeof rule === 'string')
    return { at: checkedPath(body, rule, place), values: undefined, otherwise: unknownStatus };
  refuseUnknownKnobs(Object(rule), ['at', 'values', 'otherwise'], `${place}: failure.status`);
  const { at, values, otherwise = unknownStatus } = Object(rule);
  for (const [code, value] of Object.entries(Object(values)))
    checkedCode(value, `status.values: "${code}"`, place);
  return {
    at: checkedPath(body, at, place),
    values: Object.freeze({ ...values }),
    otherwise: checkedCode(otherwise, 'status.otherwise', place),
  };
}

function checkedCode(status: unknown, knob: string, place: string): number {
  if (isFailing(status)) return status;
  throw new CompositionError(
    place,
    `failure.${knob} is ${String(status)}, which is no failure. Use 400 to 599.`,
  );
}

function isFailing(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
}

function checkedPath(schema: z.ZodType, text: unknown, place: string): Path {
  const path = parsePath(text, 'failure.status', place);
  if (mayHavePath(schema, path)) return path;
  throw new CompositionError(
    place,
    `failure.status is "${path.text}", which failure.body does not have. Use a path to a field of ` +
      'it, as in "error.code".',
  );
}

/** The status that `body` says it is a failure of; `undefined` if it is no failure. */
export function failureStatusIn(
  { body: schema, at, values, otherwise }: FailureRule,
  body: unknown,
  numbers: Numbers,
): number | undefined {
  const parsed = parseJsonBy(schema, body, numbers);
  if (!parsed.ok) return undefined;
  if (at === undefined) return otherwise;
  const code = readPath(parsed.value, at);
  if (!isCode(code)) return otherwise;
  const status =
    values === undefined ? Number(code) : hasField(values, String(code)) && values[String(code)];
  return isFailing(status) ? status : otherwise;
}

function isCode(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}

/** `error.code`, or the status that all failures have. */
export function shownFailure({ at, otherwise }: FailureRule): string {
  return at === undefined ? String(otherwise) : at.text;
}
