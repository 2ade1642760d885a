/** How a program under test is asked about itself: over the channel to the process that started it. */

/** The questions, each with what its answer is. */
export interface Answers {
  readonly usage: Usage;
  /** How often the services have been called. */
  readonly calls: number;
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
export function answerTo<Q extends keyof Answers>(question: Q, answer: () => Answers[Q]): void {
  process.on('message', (asked) => {
    if (asked === question) process.send?.(answer());
  });
  // To be asked is no reason to stay: a gateway that cannot start has to end.
  process.channel?.unref();
}
