/** How long work keeps the processor busy, however busy the machine is with other things. */

/** Milliseconds of processor time that `work` takes, without what waits for its turn. */
export function cpuMsOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
