/** Load shedding: what the gateway leaves undone while it cannot keep up with what it is asked. */
import type { Clock } from '../clock.ts';
import type { Admission } from '../http/admission.ts';
import type { Load, LoadMeter } from './load-meter.ts';

export interface Overload {
  /** Whether the steps of one request that can be missed are to be left out. */
  shedsSteps(): boolean;
  /** Seconds after which a request that is refused may come again; `undefined`: it is welcome. */
  refusal(): number | undefined;
  /** 0: nothing is shed; 1: all steps that can be missed are; above that, requests are refused too. */
  readonly pressure: number;
  /** What was measured last. */
  readonly load: Load;
  close(): void;
}

/** From when on it is too much. */
export interface OverloadLimits {
  /** How late the event loop may be, in milliseconds. Default 150. */
  readonly delayMs: number;
  /** The share of time the event loop may be busy. Default 0.95. */
  readonly utilisation: number;
}

export const defaultLimits: OverloadLimits = { delayMs: 150, utilisation: 0.95 };

export interface OverloadOptions {
  readonly limits: OverloadLimits;
  readonly meter: LoadMeter;
  readonly clock: Clock;
}

/** How often it is looked. */
const periodMs = 250;

/** How much more, or less, is shed each time. What can be missed goes quickly; requests go as they have to. */
const steps = { rise: 0.2, fall: 0.1 };
const requestSteps = { rise: 0.05, fall: 0.025 };

/** A loop that is many times too late is not mended by small steps: they are that much larger, to a limit. */
const mostTimes = 4;

/** Some requests are let in whatever happens: only their going well says that it is over. */
const mostPressure = 1.95;

/** Refused clients are asked to come back after 1 to 4 seconds, not all at once. */
const spreadSeconds = 4;

/**
 * Raises the pressure while the event loop is too late or too busy, and lowers it otherwise. Being busy
 * only costs steps that can be missed: a loop without a pause may still answer everybody in time. Being
 * late costs requests, once nothing else is left.
 */
export function createOverload({ limits, meter, clock }: OverloadOptions): Overload {
  let pressure = 0;
  let load: Load = idle;
  let lateBefore = false;
  let busyBefore = false;

  function look(): void {
    load = meter.read();
    const { delayMs, utilisation } = load;
    const late = delayMs > limits.delayMs;
    const busy = utilisation > limits.utilisation;
    const { rise } = pressure < 1 ? steps : requestSteps;
    // Twice in a row: one long pause, as for collecting garbage, is no overload.
    if (late && lateBefore) {
      const times = Math.min(mostTimes, delayMs / limits.delayMs);
      pressure = Math.min(mostPressure, pressure + Math.max(rise, requestSteps.rise * times));
    } else if (busy && busyBefore && pressure < 1) pressure = Math.min(1, pressure + rise);
    else if (!late && !busy) pressure = Math.max(0, pressure - steps.fall);
    else if (!late && pressure > 1) pressure = Math.max(1, pressure - requestSteps.fall);
    lateBefore = late;
    busyBefore = busy;
    cancelTimer = clock.after(periodMs, look);
  }

  let cancelTimer = clock.after(periodMs, look);
  return {
    shedsSteps: () => pressure > 0 && clock.random() < pressure,
    refusal: () =>
      pressure > 1 && clock.random() < pressure - 1
        ? 1 + Math.floor(clock.random() * spreadSeconds)
        : undefined,
    get pressure() {
      return pressure;
    },
    get load() {
      return load;
    },
    close() {
      cancelTimer();
      meter.close();
    },
  };
}

const idle: Load = { delayMs: 0, utilisation: 0 };

/** Admission by overload. */
export function shedding(overload: Overload): Admission {
  return function admitUnlessOverloaded() {
    const retryAfterSeconds = overload.refusal();
    return retryAfterSeconds === undefined ? undefined : { kind: 'overload', retryAfterSeconds };
  };
}

/** Nothing is ever shed. */
export const unlimited: Overload = {
  shedsSteps: () => false,
  refusal: () => undefined,
  pressure: 0,
  load: idle,
  close: () => undefined,
};
