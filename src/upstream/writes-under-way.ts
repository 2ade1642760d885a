/** Tracks the writes that are under way, for a stop: their requests may be over. */
import type { Clock } from '../clock.ts';
import { operationName } from '../dsl/operation.ts';
import type { Operation } from '../dsl/operation.ts';
import type { Reply } from './call.ts';

export interface WritesUnderWay {
  track(operation: Operation, reply: Promise<Reply>): Promise<Reply>;
  /** Resolves when none is left, or after `limitMs`, with the operations of those that are left. */
  settle(limitMs: number): Promise<readonly string[]>;
}

export function createWritesUnderWay(clock: Clock): WritesUnderWay {
  const underWay = new Map<object, Operation>();
  let onNoneLeft: (() => void) | undefined;

  function end(write: object): void {
    underWay.delete(write);
    if (underWay.size === 0) onNoneLeft?.();
  }

  return {
    track(operation, reply) {
      const write = {};
      underWay.set(write, operation);
      return reply.finally(() => end(write));
    },
    async settle(limitMs) {
      if (underWay.size > 0) {
        await new Promise<void>((resolve) => {
          const cancelTimer = clock.after(Math.max(0, limitMs), resolve);
          onNoneLeft = () => {
            cancelTimer();
            resolve();
          };
        });
      }
      return [...underWay.values()].map(operationName);
    },
  };
}
