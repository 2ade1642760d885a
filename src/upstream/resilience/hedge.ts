/** Hedging: asks a second time while the first answer is late, and takes the one that comes first. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { HedgeConfig } from '../../dsl/policies.ts';
import type { Call, Policy, Reply, Send } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { isHeldBack } from './failure.ts';
import { createLatencies } from './latencies.ts';
import type { Latencies } from './latencies.ts';
import type { RetryBudget } from './retry-budget.ts';
import { createWindow } from './rolling-window.ts';
import { ownSignal } from '../../own-signal.ts';
import type { OwnSignal } from '../../own-signal.ts';

/** What the calls of one operation have shown so far. */
interface History {
  readonly latencies: Latencies;
  onCall(): void;
  /** Whether one more call may cost a second request; it then has. */
  mayAskTwice(): boolean;
}

const windowMs = 10_000;

/**
 * Only calls that read, and of operations that ask for it. A second request is taken out of the retry
 * budget, and no more than `maxExtra` of the calls have one. The slower attempt is called off, which is
 * no error.
 */
export function hedge(clock: Clock, budget: RetryBudget): Policy {
  return (next) => {
    const histories = new Map<Operation, History>();
    return (call) => {
      const config = call.operation.policies.hedge;
      const mayBeAskedTwice = isShareable(call) && call.operation.idempotent;
      if (config === false || !mayBeAskedTwice) return next(call);
      const history = histories.get(call.operation) ?? createHistory(config, clock, budget);
      histories.set(call.operation, history);
      return ask(call, history, config.afterP);
    };

    async function ask(call: Call, history: History, afterP: number): Promise<Reply> {
      history.onCall();
      const startedAt = clock.now();
      const afterMs = history.latencies.quantile(afterP);
      const reply = await (afterMs === undefined
        ? next(call)
        : race(call, { next, clock, afterMs, mayAskTwice: history.mayAskTwice }));
      // Of a call that was asked twice it is no more than the first attempt would have taken.
      history.latencies.add(clock.now() - startedAt);
      return reply;
    }
  };
}

function createHistory(config: Required<HedgeConfig>, clock: Clock, budget: RetryBudget): History {
  const window = createWindow(['calls', 'extra'], windowMs, clock);
  return {
    latencies: createLatencies(),
    onCall: () => window.add('calls'),
    mayAskTwice() {
      const isAllowed = window.count('extra') + 1 <= window.count('calls') * config.maxExtra;
      if (!isAllowed || !budget.withdraw()) return false;
      window.add('extra');
      return true;
    },
  };
}

interface Race {
  readonly next: Send;
  readonly clock: Clock;
  readonly afterMs: number;
  readonly mayAskTwice: () => boolean;
}

/** The first success; when all attempts failed, the first failure that says something of the service. */
function race(call: Call, { next, clock, afterMs, mayAskTwice }: Race): Promise<Reply> {
  const underWay = new Set<OwnSignal>();
  let failure: unknown;
  return new Promise((resolve, reject) => {
    const ask = (): void => {
      const own = ownSignal(call.signal);
      underWay.add(own);
      next({ ...call, signal: own.signal, queued: { ms: 0 } }).then(
        (reply) => win(own, reply),
        (error: unknown) => lose(own, error),
      );
    };
    const cancelTimer = clock.after(afterMs, () => {
      if (mayAskTwice()) ask();
    });
    ask();

    function win(own: OwnSignal, reply: Reply): void {
      own.release();
      underWay.delete(own);
      cancelTimer();
      resolve(reply);
      const reason = callError(call, 'aborted', 'another attempt was faster');
      for (const other of underWay) other.abort(reason);
    }

    function lose(own: OwnSignal, error: unknown): void {
      own.release();
      underWay.delete(own);
      if (failure === undefined || isHeldBack(failure)) failure = error;
      if (underWay.size > 0) return;
      cancelTimer();
      reject(failure);
    }
  });
}
