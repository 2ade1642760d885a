/** What all measurements of a run share. */
import type { LoadGenerator } from './load/generators.ts';
import type { Child } from './process/child.ts';
import type { Pin } from './process/pinning.ts';
import type { Place } from './programs.ts';

export interface Bench {
  readonly place: Place;
  /** The services behind both programs. */
  readonly services: Child;
  readonly generator: LoadGenerator;
  readonly pin: Pin;
  /** Of one run of load. */
  readonly seconds: number;
  readonly connections: number;
  readonly rounds: number;
  /** A round before the first one, which does not count. */
  readonly warmsUp: boolean;
}
