/** Stops a process on a signal, and when the process that started it is gone. */

/** npm passes a Ctrl-C on to a process that already got it from the terminal. */
const echoMs = 500;

/**
 * Runs `close` once and then ends the process. A second signal ends it at once, unless it is the
 * first one passed on.
 */
export function whenStopped(close: () => Promise<void>): void {
  let stoppedAt: number | undefined;
  const stop = async (): Promise<void> => {
    if (stoppedAt !== undefined) {
      if (performance.now() - stoppedAt > echoMs) process.exit(1);
      return;
    }
    stoppedAt = performance.now();
    await close();
    process.exit(0);
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => void stop());
}
