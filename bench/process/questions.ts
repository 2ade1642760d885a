/** The questions a program under test answers, over the channel to the process that started it. */
import type { Profiler } from 'node:inspector';

/** The questions, each with the type of its answer. */
export interface Answers {
  readonly usage: Usage;
  /** How many requests the services have been sent. */
  readonly calls: number;
  /**
   * The profiler has begun; asked only of programs that have preloaded `tools/profile/profiler.ts`.
   */
  readonly startProfile: true;
  /** Everything since the profiler began. */
  readonly stopProfile: Profiler.Profile;
}

/** The resources a process has used and the requests it has answered since it started. */
export interface Usage {
  readonly cpuMicros: number;
  readonly rssMiB: number;
  /** Requests answered. */
  readonly answered: number;
  /** The same by status. */
  readonly statuses: Readonly<Record<number, number>>;
}

/** Answers one question; other listeners in the process answer the others. */
export function answerTo<Q extends keyof Answers>(
  question: Q,
  answer: () => Answers[Q] | Promise<Answers[Q]>,
): void {
  process.on('message', async (asked) => {
    if (asked === question) process.send?.(await answer());
  });
  // The channel must not keep the process alive: a gateway that cannot start has to end.
  process.channel?.unref();
}
