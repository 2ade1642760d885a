/** Pins processes to cores: the measured program has one to itself, all others share another. */
import { spawnSync } from 'node:child_process';

export type Core = 'subject' | 'surroundings';

/** Turns a command into one that runs on a core. */
export type Pin = (core: Core, command: readonly string[]) => readonly string[];

export interface Pinning {
  readonly pin: Pin;
  /** Says in the results how processes were pinned. */
  readonly note: string;
}

const numbers = { subject: '0', surroundings: '1' } satisfies Record<Core, string>;

/** Finds out by trying: a container may have taskset but not the cores. */
export function findPinning(): Pinning {
  const isPossible = Object.values(numbers).every(
    (number) => spawnSync('taskset', ['-c', number, 'true']).status === 0,
  );
  if (!isPossible) {
    return { pin: (_, command) => command, note: 'not pinned: no taskset, or only one core' };
  }
  const { subject, surroundings } = numbers;
  return {
    pin: (core, command) => ['taskset', '-c', numbers[core], ...command],
    note: `the measured process on core ${subject}, services and load on core ${surroundings}`,
  };
}
