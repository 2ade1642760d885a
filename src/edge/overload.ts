/** Load shedding: leaves work undone while the gateway cannot keep up. */
import type { Clock } from '../clock.ts';
import type { Admission } from '../http/admission.ts';
import type { LagMeter, LoopLag } from './lag-meter.ts';

export interface Overload {
  /** Whether the steps of one request that can be missed are left out. */
  shedsSteps(): boolean;
  /** Seconds after which one request, refused, may come again; `undefined` admits it. */
  retryAfterSeconds(): number | undefined;
  /**
   * 0: nothing is shed; 1: all steps that can be missed are; above that, requests are refused too.
   */
  readonly pressure: number;
  /** The last measurement. */
  readonly lag: LoopLag;
  close(): void;
}

/** Shedding thresholds: pressure rises above them. */
export interface OverloadLimits {
  /** Event-loop delay, in milliseconds. Default 150. */
  readonly delayMs: number;
  /** The share of time the event loop may be busy. Default 0.95. */
  readonly utilisation: number;
}

export const defaultLimits: OverloadLimits = { delayMs: 150, utilisation: 0.95 };

export interface OverloadOptions {
  readonly limits: OverloadLimits;
  readonly meter: LagMeter;
  readonly clock: Clock;
}

/** How often the pressure is adjusted. */
const periodMs = 250;

/**
 * Pressure per period. Steps that can be missed go quickly; requests only as far as they have to.
 */
const steps = { rise: 0.2, fall: 0.1 };
const requestSteps = { rise: 0.05, fall: 0.025 };

/** A loop that is many times too late raises pressure by larger steps, up to this many times. */
const mostTimes = 4;

/**
 * Below 2, so that some requests are always admitted: only they can show that the overload is over.
 */
const mostPressure = 1.95;

/** Refused clients come back after 1 to 4 seconds, so that they do not all return at once. */
const spreadSeconds = 4;

/**
 * Raises the pressure while the event loop is too late or too busy, and lowers it otherwise. A busy
 * loop only costs steps that can be missed: one without a pause may still answer everybody in time.
 * A late loop costs requests, once nothing else is left to shed.
 */
export function createOverload({ limits, meter, clock }: OverloadOptions): Overload {
  let pressure = 0;
  let lag: LoopLag = noLag;
  let lateBefore = false;
  let busyBefore = false;

  function adjust(): void {
    lag = meter.read();
    const { delayMs, utilisation } = lag;
    const late = delayMs > limits.delayMs;
    const busy = utilisation > limits.utilisation;
    const { rise } = pressure < 1 ? steps : requestSteps;
    // Twice in a row: one long pause, such as a garbage collection, is no overload.
    if (late && lateBefore) {
      const times = Math.min(mostTimes, delayMs / limits.delayMs);
      pressure = Math.min(mostPressure, pressure + Math.max(rise, requestSteps.rise * times));
    } else if (busy && busyBefore && pressure < 1) pressure = Math.min(1, pressure + rise);
    else if (!late && !busy) pressure = Math.max(0, pressure - steps.fall);
    else if (!late && pressure > 1) pressure = Math.max(1, pressure - requestSteps.fall);
    lateBefore = late;
    busyBefore = busy;
    cancelTimer = clock.after(periodMs, adjust);
  }

  let cancelTimer = clock.after(periodMs, adjust);
  return {
    shedsSteps: () => pressure > 0 && clock.random() < pressure,
    retryAfterSeconds: () =>
      pressure > 1 && clock.random() < pressure - 1
        ? 1 + Math.floor(clock.random() * spreadSeconds)
        : undefined,
    get pressure() {
      return pressure;
    },
    get lag() {
      return lag;
    },
    close() {
      cancelTimer();
      meter.close();
    },
  };
}

const noLag: LoopLag = { delayMs: 0, utilisation: 0 };

function ignore(): void {}

/** Admission by overload: a refusal becomes a 503 with `Retry-After` (`http/error-response`). */
export function shedding(overload: Overload, onRefusal: () => void = ignore): Admission {
  return function admitUnlessOverloaded() {
    const retryAfterSeconds = overload.retryAfterSeconds();
    if (retryAfterSeconds === undefined) return undefined;
    onRefusal();
    return { kind: 'overload', limit: 'SHED_DELAY_MS', retryAfterSeconds };
  };
}

/** Sheds nothing, ever. */
export const neverSheds: Overload = {
  shedsSteps: () => false,
  retryAfterSeconds: () => undefined,
  pressure: 0,
  lag: noLag,
  close: () => undefined,
};
