/** A program under the load of a row → its CPU profile, and what a request has cost meanwhile. */
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { requestFile } from '../compare.ts';
import type { LoadGenerator } from '../load/generators.ts';
import { runLoad } from '../load/run-load.ts';
import { startChild } from '../process/child.ts';
import type { Child, Launch } from '../process/child.ts';
import type { Pin } from '../process/pinning.ts';
import type { Place } from '../programs.ts';
import type { LoadedRow } from './loaded-row.ts';

export interface Recording {
  readonly profile: Profiler.Profile;
  /** CPU time of the process per request, all threads, as the bench counts it. */
  readonly cpuMicros: number;
}

export interface Surroundings {
  readonly place: Place;
  readonly generator: LoadGenerator;
  readonly pin: Pin;
  /** Profiled. */
  readonly seconds: number;
}

const connections = 64;
/** Enough for connections to be open and for V8 to have compiled what is busy. */
const warmUpSeconds = 2;
/** The load goes on for a moment, so that its end is not in the profile. */
const restSeconds = 0.5;

/** @throws Error when the program does not start, or answers with a failure under load. */
export async function record(
  { subject, load }: LoadedRow,
  { place, generator, pin, seconds }: Surroundings,
): Promise<Recording> {
  await using program = await startChild(withProfiler(await subject.launch(place)), 'subject', pin);
  const file = await requestFile('subject', program, load, { place });
  const run = { url: program.url, file, connections };
  const [recording] = await Promise.all([
    recordWarm(program, seconds),
    runLoad(generator, { ...run, seconds: warmUpSeconds + seconds + restSeconds }, pin),
  ]);
  const { answered, unexpected } = await program.ask('usage');
  if (unexpected > 0) throw new Error(`${unexpected} of ${answered} answers were no 200 or 304.`);
  return recording;
}

function withProfiler({ environment, ...launch }: Launch): Launch {
  const profiler = join(import.meta.dirname, 'profiler.ts');
  return {
    ...launch,
    environment: { ...environment, NODE_OPTIONS: `--import=${JSON.stringify(profiler)}` },
  };
}

/** The CPU time is read between starting and stopping, neither of which is about a request. */
async function recordWarm(program: Child, seconds: number): Promise<Recording> {
  await setTimeout(warmUpSeconds * 1_000);
  await program.ask('startProfile');
  const before = await program.ask('usage');
  await setTimeout(seconds * 1_000);
  const after = await program.ask('usage');
  const profile = await program.ask('stopProfile');
  const answered = after.answered - before.answered;
  if (answered === 0) throw new Error('No request was answered. Give it more --seconds.');
  return { profile, cpuMicros: (after.cpuMicros - before.cpuMicros) / answered };
}
