/** What the OpenTelemetry SDK complains of, in one text for the log. */
import { z } from 'zod';

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
  if (typeof part === 'string') return [messageIn(part) ?? part];
  return part instanceof Error ? [part.message] : [];
}

const ErrorAsJson = z.object({
  stack: z.string(),
  name: z.string().exactOptional(),
  message: z.string().exactOptional(),
  code: z.string().exactOptional(),
});

/** The message of an error that the SDK has written as JSON, with its stack and the response. */
function messageIn(text: string): string | undefined {
  const { data } = ErrorAsJson.safeParse(parsed(text));
  if (data === undefined) return undefined;
  const { name, message, code } = data;
  const words = [name === 'Error' ? undefined : name, message].filter(Boolean).join(': ');
  return code === undefined || words.includes(code) ? words : `${words} (${code})`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
