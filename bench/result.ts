/** The rounds of a row → its result: medians, comparisons with the subject, targets. */
import type { Round } from './compare.ts';
import type { Measurement, UnderLoad } from './measure.ts';
import type { Row, Target } from './row.ts';
import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

/** How the rows that measure it call it. */
export const cpuTime = 'CPU µs/request';

export interface Result {
  readonly name: string;
  readonly about: string;
  /** The measured quantity and its unit. */
  readonly measured: string;
  readonly subject: Figures;
  readonly others: readonly Compared[];
  readonly rounds: readonly Round[];
}

/** Of one program: medians over the rounds. */
export interface Figures {
  readonly program: string;
  readonly value: number;
  readonly underLoad: Pick<UnderLoad, 'calls' | 'p50Ms' | 'p99Ms'> | undefined;
  readonly targets: readonly Judged[];
}

export interface Compared extends Figures {
  /** Of the subject to this program, round by round. */
  readonly comparison: Spread & { readonly of: 'ratio' | 'difference' };
}

export type Judged = Target & { readonly isMet: boolean };

export function toResult(row: Row, rounds: readonly Round[]): Result {
  const { name, about, load, programs } = row;
  const [subject, ...others] = programs.map(({ name: program }, index) => {
    const figures = figuresOf(
      program,
      rounds.map((round) => measurementAt(round, index)),
    );
    return { ...figures, targets: judge(row, program, index, rounds) };
  });
  if (subject === undefined) throw new Error(`The row ${name} has no program.`);
  const of = load.kind === 'half' ? 'difference' : 'ratio';
  return {
    name,
    about,
    measured: measuredBy(load),
    subject,
    others: others.map((figures, index) => ({
      ...figures,
      comparison: { of, ...spreadOf(compare(of, index + 1, rounds)) },
    })),
    rounds,
  };
}

/**
 * The targets that concern a program: of the subject's own figure, or of how it compares with
 * another.
 */
function judge(
  { targets = [] }: Row,
  program: string,
  index: number,
  rounds: readonly Round[],
): readonly Judged[] {
  return targets
    .filter((target) => (target.of === 'subject' ? index === 0 : target.to === program))
    .map((target) => {
      const { median } = spreadOf(compare(target.of, index, rounds));
      return { ...target, isMet: median <= target.atMost };
    });
}

const figures = {
  subject: (subject) => subject,
  ratio: (subject, other) => subject / other,
  difference: (subject, other) => subject - other,
} satisfies Record<Target['of'], (subject: number, other: number) => number>;

function compare(of: Target['of'], index: number, rounds: readonly Round[]): readonly number[] {
  return rounds.map((round) =>
    figures[of](measurementAt(round, 0).value, measurementAt(round, index).value),
  );
}

function measurementAt(round: Round, index: number): Measurement {
  const measurement = round[index];
  if (measurement === undefined) throw new Error('A round has no measurement of a program.');
  return measurement;
}

function measuredBy(load: Row['load']): string {
  switch (load.kind) {
    case 'full':
      return load.measures === 'cpuMicros' ? cpuTime : 'MiB resident';
    case 'half':
      return 'p99 ms';
    case 'start':
      return load.measures === 'readyMs' ? 'ms to ready' : 'MiB resident';
    default:
      return load satisfies never;
  }
}

function figuresOf(program: string, measurements: readonly Measurement[]) {
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
