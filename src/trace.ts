/** The trace a request belongs to, passed along by layers that cannot look into it. */

declare const opaque: unique symbol;

/**
 * Opaque to everything but `telemetry/`, which makes it, opens it and replaces it by that of an
 * inner span; `undefined` where nothing is traced.
 */
export interface Trace {
  readonly [opaque]: true;
}
