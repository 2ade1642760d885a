/** Standard output, whose reader may go before the program does, as `head` goes. */

/**
 * Calls `onGone` when nobody reads any more, as the signal SIGPIPE would end other programs. Without
 * a listener, the next line would be an uncaught exception.
 */
export function whenNobodyReads(onGone: () => void): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') onGone();
  });
}
