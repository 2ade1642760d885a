/** The status and headers that a composition gives its response, from the data of a request. */
import { invalidInput } from '../engine/blame.ts';
import type { AnsweredBeside } from '../engine/execution.ts';
import { ExecutionError } from '../errors.ts';
import { UnsendableError, checkStatus, linesOf } from '../plan/answer-values.ts';
import type { PlanAnswer, PlanHeader } from '../plan/plan.ts';

export interface Given {
  readonly status: number;
  /** All headers but cookies. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values of `Set-Cookie`, one for each line. */
  readonly cookies: readonly string[];
}

/**
 * @throws RequestError for a header that cannot be sent and is the client's own text.
 * @throws ExecutionError of kind `response-mismatch` for any other, and for such a status.
 */
export function givenBy(answer: PlanAnswer, values: AnsweredBeside): Given {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [index, header] of answer.headers.entries()) {
    const lines = sendable(() => linesOf(header.name, values.headers[index]), header);
    if (header.name === 'set-cookie') cookies.push(...lines);
    else for (const line of lines) headers[header.name] = line;
  }
  const status = sendable(() => checkStatus(values.status, (name) => Object.hasOwn(headers, name)));
  return { status, headers, cookies };
}

function sendable<T>(read: () => T, header?: PlanHeader): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof UnsendableError)) throw cause;
    if (header?.input !== undefined)
      throw invalidInput(header.input, 'cannot be used in a header of the response');
    throw new ExecutionError('response-mismatch', `the answer's ${cause.message}`, { cause });
  }
}
