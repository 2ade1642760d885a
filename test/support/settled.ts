/** Waiting for what is on its way between sockets of this process. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for twenty turns of the event loop, a millisecond each. Turns are counted, not time, since
 * nothing arrives while a busy machine does not let this process run.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await sleep(1);
}
