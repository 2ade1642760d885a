/** When a process is told to stop: by a signal, or because the process that started it is gone. */

/** Runs `close` once and ends the process when it is done. A second signal ends it at once. */
export function whenStopped(close: () => Promise<void>): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    await close();
    process.exit(0);
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => void stop());
}
