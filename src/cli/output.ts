/** Standard output, whose reader may go before the program does, as `head` goes. */

/**
 * Calls `onGone` when nobody reads any more: other programs are ended by the signal SIGPIPE. Without
 * a listener, the next line would be an uncaught exception.
 */
export function whenNobodyReads(onGone: () => void): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') onGone();
  });
}
