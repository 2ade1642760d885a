/** Circuit breaker: stops calling a service for a while when most of its attempts fail. */
import type { Clock } from '../../clock.ts';
import { slowMsOf } from '../../dsl/service-policies.ts';
import type { EffectiveBreaker } from '../../dsl/service-policies.ts';
import type { Gate } from '../attempt.ts';
import type { Dispatch, Ending } from '../call.ts';
import { callError } from '../call.ts';
import { isOutrun, verdictOf } from './failure.ts';
import type { Verdict } from './failure.ts';
import { createWindow } from './rolling-window.ts';

export interface Breaker {
  readonly gate: Gate;
  readonly state: State['kind'];
  /** When it came into that state, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * - closed: all attempts pass, and are counted.
 * - open: no attempt passes.
 * - half-open: only `probes` attempts pass, all of which have to succeed.
 *
 * An attempt counts only in the state in which it began, so each state is an object of its own.
 */
type State = { readonly since: number } & (
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly periodMs: number; readonly until: number }
  | { readonly kind: 'half-open'; underWay: number; passed: number }
);

/** How an attempt is counted. */
type Grade = Verdict | 'slow';

/** Fails calls with the kind `breaker-open` while it is open, which `BreakerConfig` explains. */
export function createBreaker(config: EffectiveBreaker, clock: Clock): Breaker {
  const window = createWindow(['attempts', 'slow', 'failed'], config.windowMs, clock);
  let state: State = { kind: 'closed', since: clock.epoch() };
  /** How many times it has opened since it was last closed. */
  let openings = 0;

  /** The state in which an attempt begins, or after how many milliseconds it may be tried again. */
  function admit(): State | number {
    if (state.kind === 'open') {
      const leftMs = state.until - clock.now();
      if (leftMs > 0) return leftMs;
      state = { kind: 'half-open', since: state.since + state.periodMs, underWay: 0, passed: 0 };
    }
    if (state.kind === 'half-open') {
      if (state.underWay + state.passed >= config.probes) return config.openMs;
      state.underWay += 1;
    }
    return state;
  }

  function settle(admitted: State, grade: Grade, times: number): void {
    if (state !== admitted) return;
    if (state.kind === 'closed') count(grade, times);
    if (state.kind !== 'half-open') return;
    state.underWay -= 1;
    if (grade === 'failed' || grade === 'slow') return open();
    if (grade === 'ok') state.passed += 1;
    if (state.passed === config.probes) close();
  }

  function count(grade: Grade, times: number): void {
    if (grade === 'unknown') return;
    window.add('attempts', times);
    if (grade !== 'ok') window.add(grade, times);
    if (grade !== 'ok' && mustOpen()) open();
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

  /** Adds jitter, so that many gateways do not probe at once. */
  function open(): void {
    const calmMs = Math.min(config.openMs * 2 ** openings, config.maxOpenMs);
    openings += 1;
    const periodMs = calmMs * (0.9 + 0.2 * clock.random());
    state = { kind: 'open', since: clock.epoch(), periodMs, until: clock.now() + periodMs };
  }

  function close(): void {
    openings = 0;
    window.clear();
    state = { kind: 'closed', since: clock.epoch() };
  }

  function gradeOf(dispatch: Dispatch, ending: Ending): Grade {
    const { tookMs } = ending;
    const verdict = verdictOf(ending);
    const isSlow = tookMs >= slowMsOf(config, dispatch.operation.policies);
    return isSlow && (verdict === 'ok' || isOutrun(ending.failure)) ? 'slow' : verdict;
  }

  /** Whether it is half-open from now on, although no attempt has come yet. */
  function isDue(one: State): one is State & { readonly kind: 'open' } {
    return one.kind === 'open' && one.until <= clock.now();
  }

  return {
    gate: function passBreaker(dispatch) {
      const admitted = admit();
      if (typeof admitted === 'number') throw isOpen(dispatch, admitted);
      return {
        onEnd: (ending) => settle(admitted, gradeOf(dispatch, ending), 1 + (ending.standsFor ?? 0)),
      };
    },
    get state() {
      return isDue(state) ? 'half-open' : state.kind;
    },
    get since() {
      return isDue(state) ? state.since + state.periodMs : state.since;
    },
  };
}

function isOpen(call: Dispatch, leftMs: number): Error {
  return callError(call, 'breaker-open', 'was not called: its breaker is open', {
    retryAfterSeconds: Math.ceil(leftMs / 1_000),
  });
}
