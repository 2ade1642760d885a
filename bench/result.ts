/** The rounds of a row → its line: medians, how the two compare, and whether that is good enough. */
import type { Round } from './compare.ts';
import type { Measurement, UnderLoad } from './measure.ts';
import type { Row, Target } from './row.ts';
import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

export interface Result {
  readonly name: string;
  /** What is measured, in what unit. */
  readonly measured: string;
  readonly subject: Figures;
  readonly baseline: Figures;
  readonly comparison: Spread & { readonly of: 'ratio' | 'difference' };
  readonly target: (Target & { readonly isMet: boolean }) | undefined;
  readonly rounds: readonly Round[];
}

/** Medians over the rounds. */
export interface Figures {
  readonly program: string;
  readonly value: number;
  readonly underLoad: Omit<UnderLoad, 'cpuMicros'> | undefined;
}

export function toResult(
  { name, load, target, ...programs }: Row,
  rounds: readonly Round[],
): Result {
  const over = (of: Target['of']): Spread => spreadOf(rounds.map(figures[of]));
  const of = load.kind === 'half' ? 'difference' : 'ratio';
  return {
    name,
    measured: measuredBy(load),
    subject: figuresOf(
      programs.subject.name,
      rounds.map(({ subject }) => subject),
    ),
    baseline: figuresOf(
      programs.baseline.name,
      rounds.map(({ baseline }) => baseline),
    ),
    comparison: { of, ...over(of) },
    target: target && { ...target, isMet: over(target.of).median <= target.atMost },
    rounds,
  };
}

const figures = {
  subject: ({ subject }) => subject.value,
  ratio: ({ subject, baseline }) => subject.value / baseline.value,
  difference: ({ subject, baseline }) => subject.value - baseline.value,
} satisfies Record<Target['of'], (round: Round) => number>;

function measuredBy(load: Row['load']): string {
  switch (load.kind) {
    case 'full':
      return 'CPU µs/request';
    case 'half':
      return 'p99 ms';
    case 'start':
      return load.measures === 'readyMs' ? 'ms to ready' : 'MiB resident';
    default:
      return load satisfies never;
  }
}

function figuresOf(program: string, measurements: readonly Measurement[]): Figures {
  const loads = measurements.flatMap(({ underLoad }) => underLoad ?? []);
  const medianOf = (pick: (load: UnderLoad) => number): number => spreadOf(loads.map(pick)).median;
  return {
    program,
    value: spreadOf(measurements.map(({ value }) => value)).median,
    underLoad:
      loads.length === 0
        ? undefined
        : {
            calls: medianOf(({ calls }) => calls),
            p50Ms: medianOf(({ p50Ms }) => p50Ms),
            p99Ms: medianOf(({ p99Ms }) => p99Ms),
          },
  };
}
