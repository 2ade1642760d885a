/** `failure`: answers that are failures although their status is a 2xx, and their statuses. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { parseJsonBy } from '../parse.ts';
import type { Numbers } from '../parse.ts';
import { refuseAsynchronous } from './given-schemas.ts';
import { bodyKindOf, refuseKinds } from './body-kind.ts';
import { ignoredBody } from './ignored-body.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { checkedStatus, statusIn } from './status-rule.ts';
import type { CheckedStatus, StatusIn } from './status-rule.ts';

export interface FailureConfig<Body extends z.ZodType> {
  /** A schema that only failures fit, as by a `z.literal(false)`. */
  readonly body: Body;
  /** The status, 400 to 599, that such an answer counts as; any other counts as 502. */
  readonly status: StatusIn<NoInfer<z.output<Body>>>;
}

/** The rule, checked. */
export interface FailureRule extends CheckedStatus {
  readonly body: z.ZodType;
}

/** `body`: the schema of the operation's response body; absent for a lookup. */
export function checkedFailure(
  config: FailureConfig<z.ZodType> | undefined,
  { body, place }: { readonly body: z.ZodType | undefined; readonly place: string },
): FailureRule | undefined {
  if (config === undefined) return undefined;
  refuseUnknownKnobs(config, ['body', 'status'], place, 'failure');
  if (body !== undefined && bodyKindOf(body).kind === 'bytes')
    throw new CompositionError(
      place,
      'failure looks into the body, but bytes are passed on unread.',
    );
  if (body === ignoredBody)
    throw new CompositionError(
      place,
      'failure looks into the body, which the response leaves out. Give it a schema, as ' +
        'z.unknown().',
    );
  const schema = usableSchema(config.body, 'failure.body', place);
  const where = { knob: 'failure.status', schema, holder: 'failure.body', place };
  return Object.freeze({ body: schema, ...checkedStatus(config.status, where) });
}

/** Rejects a schema that does not tell failures from other values. */
export function usableSchema(schema: unknown, knob: string, place: string): z.ZodType {
  if (!(schema instanceof z.ZodType)) {
    const advice = 'Use zod, as in z.object({ success: z.literal(false) }).';
    throw new CompositionError(place, `${knob} is not a schema. ${advice}`);
  }
  refuseAsynchronous({ [knob]: schema }, place);
  refuseKinds(knob, schema, { kinds: [], place });
  if (![null, {}, []].some((empty) => schema.safeParse(empty).success)) return schema;
  throw new CompositionError(
    place,
    `${knob} fits an empty answer, so every answer might be a failure. Name a field that only ` +
      'failures have, as in z.object({ success: z.literal(false) }).',
  );
}

/** The status that `body` says it is a failure of; `undefined` if it is no failure. */
export function failureStatusIn(
  rule: FailureRule,
  body: unknown,
  numbers: Numbers,
): number | undefined {
  const parsed = parseJsonBy(rule.body, body, numbers);
  return parsed.ok ? statusIn(rule, parsed.value) : undefined;
}
