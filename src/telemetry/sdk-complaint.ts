/** Complaints of the OpenTelemetry SDK, each in one text for the log. */
import { errorCode } from '../errors.ts';

/** A collector may answer with any text. */
const longest = 500;

/**
 * The parts of a complaint that are texts or errors; the others are objects of the SDK. Components
 * put their name first, so that only the next part says what is wrong.
 */
export function complaintOf(parts: readonly unknown[]): string {
  return parts.flatMap(textsIn).join(' ').slice(0, longest);
}

function textsIn(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  return part instanceof Error ? [textOf(part)] : [];
}

/** The name, message and code of an error, which may have the whole response of a collector. */
function textOf(error: Error): string {
  const { name, message } = error;
  const words = [name === 'Error' ? '' : name, message].filter(Boolean).join(': ');
  const code = errorCode(error);
  return code === undefined || words.includes(code) ? words : `${words} (${code})`;
}
