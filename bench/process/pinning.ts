/** Which core a process runs on: what is measured has one for itself, everything else shares the other. */
import { spawnSync } from 'node:child_process';

export type Core = 'subject' | 'surroundings';

/** Makes a command one that runs on a core. */
export type Pin = (core: Core, command: readonly string[]) => readonly string[];

export interface Pinning {
  readonly pin: Pin;
  /** For whoever reads the results. */
  readonly note: string;
}

const numbers = { subject: '0', surroundings: '1' } satisfies Record<Core, string>;

/** By trying: a container may have taskset, and not the cores. */
export function findPinning(): Pinning {
  const isPossible = Object.values(numbers).every(
    (number) => spawnSync('taskset', ['-c', number, 'true']).status === 0,
  );
  if (!isPossible) {
    return { pin: (_, command) => command, note: 'not pinned: no taskset, or only one core' };
  }
  return {
    pin: (core, command) => ['taskset', '-c', numbers[core], ...command],
    note: `the measured process on core ${numbers.subject}, services and load on core ${numbers.surroundings}`,
  };
}
