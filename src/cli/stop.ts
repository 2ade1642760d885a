/** Stops a process on a signal, and when the process that started it is gone. */

/** npm passes a Ctrl-C on to a process that already got it from the terminal. */
const echoMs = 500;

/** Signals that supervisors and people send to stop a process. */
const stopping = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'disconnect'] as const;

/**
 * Runs `close` once, with the reason, and then ends the process, by 1 if that has failed. A second
 * signal ends it at once, unless it is the first one passed on.
 */
export function whenStopped(close: (reason: string) => Promise<void>): void {
  let stoppedAt: number | undefined;
  const stop = async (event: (typeof stopping)[number]): Promise<void> => {
    if (stoppedAt !== undefined) {
      if (performance.now() - stoppedAt > echoMs) process.exit(1);
      return;
    }
    stoppedAt = performance.now();
    let code = 1;
    try {
      await close(event === 'disconnect' ? 'the process that started it is gone' : event);
      code = 0;
    } catch (error) {
      console.error(error);
    }
    process.exit(code);
  };
  for (const event of stopping) process.on(event, () => void stop(event));
}

/** Signals that would end a process by default, or open its debugger, though nobody meant that. */
const meaningless = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** Calls `onIgnored`, and nothing else, for a signal that has no meaning here. */
export function ignoreOtherSignals(onIgnored: (signal: string) => void): void {
  for (const signal of meaningless) process.on(signal, () => onIgnored(signal));
}
