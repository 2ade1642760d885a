/** Error reporting of commands. */
import { CompositionError, ConfigurationError, LoadError } from '../errors.ts';

/**
 * Runs a command. Errors that the user can correct are printed as a message only; any other is a
 * bug and keeps its stack. Both end the process with 1.
 */
export async function orExit(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    process.exitCode = 1;
    console.error(isForUser(error) ? messageOf(error) : error);
  }
}

/**
 * Ends the process when its output is written. Otherwise anything that a composition has begun at
 * its import, such as a timer, would keep it alive.
 */
export function endProcess(): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
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
