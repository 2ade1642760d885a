/** The shape of one line of the results. The rows are in `rows.ts`. */
import type { Request } from './load/request-file.ts';
import type { Program } from './programs.ts';

export interface Row {
  readonly name: string;
  /** One sentence: the cost or the saving that it shows. */
  readonly about: string;
  /** The first is the subject; the others are what it is compared with. */
  readonly programs: readonly [subject: Program, ...others: Program[]];
  readonly load: Load;
  readonly targets?: readonly Target[];
}

/**
 * The load on each program, and the figure that is read.
 * - `full`: 64 clients that send as fast as they are answered; CPU time per request, or memory.
 * - `half`: half the rate that the subject reaches under full load; the 99th percentile of latency.
 * - `start`: it is started again in each round; the time until it is ready, or its memory then.
 */
export type Load =
  | FullLoad
  | { readonly kind: 'half'; readonly requests: readonly Request[] }
  | { readonly kind: 'start'; readonly measures: 'readyMs' | 'rssMiB' };

export interface FullLoad {
  readonly kind: 'full';
  readonly measures: 'cpuMicros' | 'rssMiB';
  /** Sent in turn. */
  readonly requests: readonly Request[];
  /** The status of the right answer. Default 200. */
  readonly status?: 404;
  /** Clients have the response already, and say so: then the right answer is 304. */
  readonly revalidates?: true;
  /** The least warm-up: V8 compiles late what few requests run. Default 1. */
  readonly warmUpSeconds?: number;
}

/** A load that sends requests. */
export type Traffic = Exclude<Load, { kind: 'start' }>;

/**
 * Wanted of the subject's own figure, or of its ratio or difference to the figure of another
 * program.
 */
export type Target =
  | { readonly of: 'subject'; readonly atMost: number }
  | { readonly of: 'ratio' | 'difference'; readonly to: string; readonly atMost: number };
