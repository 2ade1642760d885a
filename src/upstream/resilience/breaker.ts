/** Circuit breaker: a service at which most attempts fail is left alone for a while. */
import type { Clock } from '../../clock.ts';
import { slowMsOf } from '../../dsl/policies.ts';
import type { EffectiveBreaker } from '../../dsl/policies.ts';
import type { Call, Turn } from '../call.ts';
import { callError } from '../call.ts';
import { verdictOf } from './failure.ts';
import { createWindow } from './rolling-window.ts';

export interface Breaker {
  readonly turn: Turn;
  readonly state: State['kind'];
}

/**
 * - closed: everything passes and is counted.
 * - open: nothing passes.
 * - half open: as many attempts as have to succeed pass, as probes; everything else fails at once.
 *
 * An outcome counts only in the state its attempt was admitted in: each state is an object of its own.
 */
type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'half-open'; underWay: number; passed: number };

type Outcome = 'ok' | 'slow' | 'failed' | 'unknown';

/** Fails calls with the kind `breaker-open` while it is open. See `BreakerConfig` for the numbers. */
export function createBreaker(config: EffectiveBreaker, clock: Clock): Breaker {
  const window = createWindow(['attempts', 'slow', 'failed'], config.windowMs, clock);
  let state: State = { kind: 'closed' };
  /** How often in a row it opened without closing in between. */
  let openings = 0;

  /** The state an attempt may start in, or how long it is to stay away. */
  function admit(): State | number {
    if (state.kind === 'open') {
      const leftMs = state.until - clock.now();
      if (leftMs > 0) return leftMs;
      state = { kind: 'half-open', underWay: 0, passed: 0 };
    }
    if (state.kind === 'half-open') {
      if (state.underWay + state.passed >= config.probes) return config.openMs;
      state.underWay += 1;
    }
    return state;
  }

  function settle(admitted: State, outcome: Outcome): void {
    if (state !== admitted) return;
    if (state.kind === 'closed') count(outcome);
    if (state.kind !== 'half-open') return;
    state.underWay -= 1;
    if (outcome === 'failed' || outcome === 'slow') return open();
    if (outcome === 'ok') state.passed += 1;
    if (state.passed === config.probes) close();
  }

  function count(outcome: Outcome): void {
    if (outcome === 'unknown') return;
    window.add('attempts');
    if (outcome !== 'ok') window.add(outcome);
    if (outcome !== 'ok' && mustOpen()) open();
  }

  function mustOpen(): boolean {
    const attempts = window.count('attempts');
    const reaches = (name: 'slow' | 'failed', percent: number): boolean =>
      window.count(name) * 100 >= attempts * percent;
    return (
      attempts >= config.volume &&
      (reaches('failed', config.failedPercent) || reaches('slow', config.slowPercent))
    );
  }

  /** Chance spreads the moment, so that many gateways do not probe at once. */
  function open(): void {
    const periodMs = Math.min(config.openMs * 2 ** openings, config.maxOpenMs);
    openings += 1;
    state = { kind: 'open', until: clock.now() + periodMs * (0.9 + 0.2 * clock.random()) };
  }

  function close(): void {
    openings = 0;
    window.clear();
    state = { kind: 'closed' };
  }

  const outcomeOf = (call: Call, error: unknown, tookMs: number): Outcome => {
    const verdict = verdictOf(call, error, tookMs);
    const isSlow = tookMs >= slowMsOf(config, call.operation.policies);
    return verdict === 'ok' && isSlow ? 'slow' : verdict;
  };

  return {
    turn(attempt) {
      const admitted = admit();
      if (typeof admitted === 'number') throw isOpen(attempt, admitted);
      const startedAt = clock.now();
      return (failure) => {
        // Whoever waited for a place of ours did not wait for the service.
        const tookMs = clock.now() - startedAt - (attempt.queued?.ms ?? 0);
        settle(admitted, outcomeOf(attempt, failure, tookMs));
      };
    },
    get state() {
      return state.kind === 'open' && state.until <= clock.now() ? 'half-open' : state.kind;
    },
  };
}

function isOpen(call: Call, leftMs: number): Error {
  return callError(call, 'breaker-open', 'was not asked: its breaker is open', {
    retryAfterSeconds: Math.ceil(leftMs / 1_000),
  });
}
