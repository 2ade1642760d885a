/** Runs a program of the bench: an error is said and makes it end with 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  // Whatever was started ends when this process exits, which a signal alone does not let it do.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(1));
  }
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
