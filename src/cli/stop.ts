/** When a process is told to stop: by a signal, or because the process that started it is gone. */

/** npm passes a Ctrl-C on to a process that has had it from the terminal already. */
const echoMs = 500;

/** Runs `close` once and ends the process when it is done. A second signal, unless an echo, ends it at once. */
export function whenStopped(close: () => Promise<void>): void {
  let toldAt: number | undefined;
  const stop = async (): Promise<void> => {
    if (toldAt !== undefined) {
      if (performance.now() - toldAt > echoMs) process.exit(1);
      return;
    }
    toldAt = performance.now();
    await close();
    process.exit(0);
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => void stop());
}
