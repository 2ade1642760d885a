/** Hedged requests: if an answer is late, a second request is sent, and the first answer wins. */
import type { Clock } from '../../clock.ts';
import type { Operation } from '../../dsl/operation.ts';
import type { HedgeConfig } from '../../dsl/policies.ts';
import type { Dispatch, Policy, Reply, Send } from '../call.ts';
import { callError, isShareable } from '../call.ts';
import { isHeldBack } from './failure.ts';
import { createLatencies } from './latencies.ts';
import type { Latencies } from './latencies.ts';
import type { RetryBudget } from './retry-budget.ts';
import { createWindow } from './rolling-window.ts';
import { ownSignal } from '../../own-signal.ts';
import type { OwnSignal } from '../../own-signal.ts';

/** The earlier calls of one operation. */
interface History {
  readonly latencies: Latencies;
  onCall(): void;
  /** Whether a second request is allowed now; if so, it is counted. */
  takeSecond(): boolean;
}

const windowMs = 10_000;

/**
 * Hedges the reads of operations that declare `hedge`. Second requests are taken from the retry
 * budget, and at most a share of `maxExtra` of all calls has one. The slower attempt is cancelled,
 * which shows only how long it has taken so far. If first attempts lose again and again, the hang
 * watch lets a few of them run on.
 */
export function hedge(clock: Clock, budget: RetryBudget): Policy<Dispatch> {
  return (next) => {
    const histories = new Map<Operation, History>();
    return function sendHedged(dispatch) {
      const { operation } = dispatch;
      const config = operation.policies.hedge;
      if (config === false || !isShareable(operation) || !operation.idempotent)
        return next(dispatch);
      const history = histories.get(operation) ?? createHistory(config, clock, budget);
      histories.set(operation, history);
      return ask(dispatch, history, config.afterP);
    };

    async function ask(dispatch: Dispatch, history: History, afterP: number): Promise<Reply> {
      history.onCall();
      const startedAt = clock.now();
      const afterMs = history.latencies.quantile(afterP);
      const reply = await (afterMs === undefined
        ? next(dispatch)
        : race(dispatch, { next, clock, afterMs, takeSecond: history.takeSecond }));
      // For a hedged call this is at most the latency of its first attempt.
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
    takeSecond() {
      const isAllowed = window.count('extra') + 1 <= window.count('calls') * config.maxExtra;
      if (!isAllowed || !budget.withdraw()) return false;
      window.add('extra');
      return true;
    },
  };
}

interface Race {
  readonly next: Send<Dispatch>;
  readonly clock: Clock;
  readonly afterMs: number;
  readonly takeSecond: () => boolean;
}

/** The first success or, if all attempts fail, the first failure that came from the service. */
function race(dispatch: Dispatch, { next, clock, afterMs, takeSecond }: Race): Promise<Reply> {
  const underWay = new Set<OwnSignal>();
  let failure: unknown;
  return new Promise((resolve, reject) => {
    const ask = (asked: Dispatch): void => {
      const own = ownSignal(dispatch.signal);
      underWay.add(own);
      next({ ...asked, signal: own.signal }).then(
        (reply) => win(own, reply),
        (error: unknown) => lose(own, error),
      );
    };
    const cancelTimer = clock.after(afterMs, () => {
      if (takeSecond()) ask({ ...dispatch, further: 'hedge' });
    });
    ask(dispatch);

    function win(own: OwnSignal, reply: Reply): void {
      own.release();
      underWay.delete(own);
      cancelTimer();
      resolve(reply);
      const message = 'another attempt was faster';
      const reason = callError(dispatch, 'aborted', message, { isOutrun: true });
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
