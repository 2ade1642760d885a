/** Makes the error of a 400 or 422 whose body says what is wrong, by `problem`. */
import { parseJson } from '../../json.ts';
import type { Call } from '../call.ts';
import { textOf } from './bodies/text.ts';
import { decodeBody } from './decode-body.ts';
import { fieldsIn, maxProblemBytes } from './problem-fields.ts';
import { statusError } from './status-error.ts';
import type { RawReply } from './transport.ts';

type Answered = Pick<Call, 'operation' | 'headers'>;

export interface Reading {
  /** When the answer came, in milliseconds since 1970. */
  readonly now: number;
  /** Whether a text repeats a credential of the gateway's own, which is not for the client. */
  readonly isSecret: (text: string) => boolean;
}

/** Rejects: a body that cannot be read leaves the error as it would be without. */
export async function refuseWithFields(
  call: Answered,
  raw: RawReply,
  { now, isSecret }: Reading,
): Promise<never> {
  const fields = await fieldsOf(call, raw, isSecret).catch(() => []);
  throw statusError(call, raw, now, { fields });
}

async function fieldsOf(
  call: Answered,
  { body, headers }: RawReply,
  isSecret: Reading['isSecret'],
) {
  const { problem, policies } = call.operation;
  const bytes = (await decodeBody(call, body, headers['content-encoding'])) ?? body;
  if (problem === undefined || bytes.length > maxProblemBytes) return [];
  return fieldsIn(problem, parseJson(textOf(call, headers, bytes), policies.maxDepth), isSecret);
}
