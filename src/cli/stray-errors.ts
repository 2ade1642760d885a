/** Uncaught errors: a rejected promise is logged, and an exception ends the process gracefully. */
import type { Clock } from '../clock.ts';
import { errorName } from '../errors.ts';
import { onceAMinute } from '../quiet.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { ownFrames } from '../telemetry/frames.ts';
import type { Log, LogFields } from '../telemetry/log.ts';

export interface StrayErrorOptions {
  readonly log: Pick<Log, 'error'>;
  readonly onStrayError: Telemetry['onStrayError'];
  /** Answers what is in flight and closes everything. */
  readonly drain: () => Promise<void>;
}

/** `EX_SOFTWARE` of sysexits: the program is at fault, and not its setup. */
const softwareError = 70;

const logEveryMs = 1_000;

/** The longest that requests in flight can delay the end of a process that may be broken. */
const longestDrainMs = 30_000;

/**
 * A rejected promise that nothing awaits concerns no request, so the process goes on. After an
 * exception in a timer or a listener, the state of the process is unknown: it finishes the requests
 * in flight and ends, so that a supervisor starts another.
 */
export function watchStrayErrors({ log, onStrayError, drain }: StrayErrorOptions): void {
  let isEnding = false;
  const logRejection = onceASecond((fields) =>
    log.error(fields, 'A promise was rejected that nobody waits for'),
  );
  const logException = onceASecond((fields) =>
    log.error(fields, 'An exception was not caught: the process ends'),
  );

  process.on('unhandledRejection', (reason) => {
    onStrayError?.('rejection');
    logRejection(reason);
  });

  process.on('uncaughtException', (error) => {
    onStrayError?.('exception');
    logException(error);
    if (isEnding) return;
    isEnding = true;
    void endAfter(drain);
  });
}

/** Writes the first error at once; of those that follow, once a second the latest and how many. */
function onceASecond(write: (fields: LogFields) => void): (thrown: unknown) => void {
  let latest: unknown;
  let count = 0;
  let isQuiet = false;

  function report(): void {
    isQuiet = count > 0;
    if (!isQuiet) return;
    write({ ...describe(latest), count });
    count = 0;
    setTimeout(report, logEveryMs).unref();
  }

  return function reportSoon(thrown) {
    latest = thrown;
    count += 1;
    if (!isQuiet) report();
  };
}

/**
 * Reports errors that not even the app has caught, each kind and place once a minute: the access
 * log has none of them.
 */
export function unansweredReporter(
  clock: Clock,
  log: Pick<Log, 'error'>,
): (error: unknown) => void {
  const mayLog = onceAMinute(clock, { most: 100 });
  return function reportUnanswered(error) {
    const fields = describe(error);
    if (!mayLog(Object.values(fields).join(' '))) return;
    log.error(fields, 'A request got no answer of the gateway, or only a part of one');
  };
}

async function endAfter(drain: () => Promise<void>): Promise<void> {
  setTimeout(end, longestDrainMs).unref();
  try {
    await drain();
  } finally {
    end();
  }
}

function end(): never {
  process.exit(softwareError);
}

/** The kind of an error and its origin, without the message, which may quote anything. */
function describe(thrown: unknown): Readonly<Record<string, string>> {
  const at = thrown instanceof Error ? framesOf(thrown) : '';
  return { 'error.type': errorName(thrown), ...(at !== '' && { at }) };
}

/** The innermost places of its stack, which begins with the name and the message. */
function framesOf({ name, message, stack = '' }: Error): string {
  const head = `${name}: ${message}`;
  if (!stack.startsWith(message === '' ? name : head)) return '';
  return innermostFrames(stack.slice(message === '' ? name.length : head.length).split('\n'));
}

/** The innermost places of the lines of a stack that are not of Node. */
export function innermostFrames(lines: readonly string[]): string {
  return ownFrames(lines).slice(0, 3).join(' ');
}
