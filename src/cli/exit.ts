/** How a command ends when it cannot do what it was asked. */
import { CompositionError, ConfigurationError, LoadError } from '../errors.ts';

/** Runs a command. What the user can mend is one message; anything else is our mistake and keeps its stack. */
export async function orExit(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    process.exitCode = 1;
    console.error(isForUser(error) ? messageOf(error) : error);
  }
}

function isForUser(error: unknown): error is Error {
  return [CompositionError, ConfigurationError, LoadError].some((known) => error instanceof known);
}

function messageOf(error: Error): string {
  if (!(error instanceof LoadError)) return error.message;
  const { length } = error.errors;
  return [
    `${length} error${length === 1 ? '' : 's'} in compositions:`,
    ...error.errors.map(({ message }) => `  ${message}`),
  ].join('\n');
}
