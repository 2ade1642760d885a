/** A program under the load of a row → its CPU profile, and the cost of a request meanwhile. */
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { targetOf } from '../../bench/compare.ts';
import type { LoadGenerator } from '../../bench/load/generators.ts';
import { runLoad } from '../../bench/load/run-load.ts';
import { checkStatuses } from '../../bench/measure.ts';
import { startChild } from '../../bench/process/child.ts';
import type { Child, Launch } from '../../bench/process/child.ts';
import type { Pin } from '../../bench/process/pinning.ts';
import type { Place } from '../../bench/programs.ts';
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
  { programs: [program], load }: LoadedRow,
  { place, generator, pin, seconds }: Surroundings,
): Promise<Recording> {
  await using server = await startChild(withProfiler(await program.launch(place)), 'subject', pin);
  const target = await targetOf({ program, server }, load, { place });
  const run = { url: server.url, file: target.file, connections };
  const [recording] = await Promise.all([
    recordWarm(server, seconds),
    runLoad(generator, { ...run, seconds: warmUpSeconds + seconds + restSeconds }, pin),
  ]);
  await checkStatuses(target);
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
async function recordWarm(server: Child, seconds: number): Promise<Recording> {
  await setTimeout(warmUpSeconds * 1_000);
  await server.ask('startProfile');
  const before = await server.ask('usage');
  await setTimeout(seconds * 1_000);
  const after = await server.ask('usage');
  const profile = await server.ask('stopProfile');
  const answered = after.answered - before.answered;
  if (answered === 0) throw new Error('No request was answered. Give it more --seconds.');
  return { profile, cpuMicros: (after.cpuMicros - before.cpuMicros) / answered };
}
