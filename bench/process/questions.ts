/** How a program under test is asked about itself: over the channel to the process that started it. */
import type { Profiler } from 'node:inspector';

/** The questions, each with what its answer is. */
export interface Answers {
  readonly usage: Usage;
  /** How often the services have been called. */
  readonly calls: number;
  /** That it has begun; of a program that has loaded `profile/profiler.ts`. */
  readonly startProfile: true;
  /** Everything since it began. */
  readonly stopProfile: Profiler.Profile;
}

/** Of a process, since it started. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssMiB: number;
  /** Requests answered. */
  readonly answered: number;
  /** Those of them with another status than 200 and 304. */
  readonly unexpected: number;
}

/** Answers one question; others are for somebody else in this process. */
export function answerTo<Q extends keyof Answers>(
  question: Q,
  answer: () => Answers[Q] | Promise<Answers[Q]>,
): void {
  process.on('message', async (asked) => {
    if (asked === question) process.send?.(await answer());
  });
  // To be asked is no reason to stay: a gateway that cannot start has to end.
  process.channel?.unref();
}
