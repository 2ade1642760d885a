/** One row: both programs measured in turn, in rounds, so that whatever else happens on the machine happens to both. */
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { checkAnswers, revalidating } from './check-answers.ts';
import { writeRequests } from './load/request-file.ts';
import { atStart, cpuTime, fullRate, latencyAt, startProgram } from './measure.ts';
import type { Measure, Measurement } from './measure.ts';
import type { Child } from './process/child.ts';
import type { Load, Row } from './row.ts';

export interface Round {
  readonly subject: Measurement;
  readonly baseline: Measurement;
}

interface Measures {
  readonly subject: Measure;
  readonly baseline: Measure;
}

/** @throws Error when a program does not start, answers wrongly, or fails under load. */
export async function compare(row: Row, bench: Bench): Promise<readonly Round[]> {
  const { load } = row;
  if (load.kind === 'start') {
    return inRounds(bench, {
      subject: atStart(load.measures, row.subject, bench),
      baseline: atStart(load.measures, row.baseline, bench),
    });
  }
  await using subject = await startProgram(row.subject, bench);
  await using baseline = await startProgram(row.baseline, bench);
  await checkAnswers(subject, baseline, load.requests);
  const measures = await underLoad(load, { subject, baseline }, bench);
  // Awaited here: with the return of this function both programs end.
  return await inRounds(bench, measures);
}

async function underLoad(
  load: Exclude<Load, { kind: 'start' }>,
  { subject, baseline }: { readonly subject: Child; readonly baseline: Child },
  bench: Bench,
): Promise<Measures> {
  const subjectFile = await requestFile('subject', subject, load, bench);
  const baselineFile = await requestFile('baseline', baseline, load, bench);
  switch (load.kind) {
    case 'full':
      return {
        subject: cpuTime(subject, subjectFile, bench),
        baseline: cpuTime(baseline, baselineFile, bench),
      };
    case 'half': {
      if (bench.warmsUp) await fullRate(subject, subjectFile, bench);
      const rate = Math.ceil((await fullRate(subject, subjectFile, bench)) / 2);
      return {
        subject: latencyAt(rate, subject, subjectFile, bench),
        baseline: latencyAt(rate, baseline, baselineFile, bench),
      };
    }
    default:
      return load satisfies never;
  }
}

/** Writes what a load sends to a server; gives the file. */
export async function requestFile(
  name: string,
  server: Child,
  load: Exclude<Load, { kind: 'start' }>,
  { place }: Pick<Bench, 'place'>,
): Promise<string> {
  const file = join(place.folder, `${name}-requests`);
  const revalidates = load.kind === 'full' && load.revalidates === true;
  await writeRequests(
    file,
    revalidates ? await revalidating(server, load.requests) : load.requests,
  );
  return file;
}

async function inRounds({ rounds, warmsUp }: Bench, measures: Measures): Promise<Round[]> {
  if (warmsUp) await round(measures);
  const measured: Round[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
  while (measured.length < rounds) measured.push(await round(measures));
  return measured;
}

async function round({ subject, baseline }: Measures): Promise<Round> {
  return { subject: await subject(), baseline: await baseline() };
}
