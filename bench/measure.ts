/** The measurements, each of one program in one round. */
import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { steadyGenerator } from './load/generators.ts';
import type { LoadGenerator } from './load/generators.ts';
import { runLoad } from './load/run-load.ts';
import { startChild } from './process/child.ts';
import type { Child } from './process/child.ts';
import type { Program } from './programs.ts';

export interface Measurement {
  readonly value: number;
  /** Absent where there was no load. */
  readonly underLoad?: UnderLoad;
}

export interface UnderLoad {
  readonly cpuMicros: number;
  /** To the services. */
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export type Measure = () => Promise<Measurement>;

export async function startProgram(program: Program, { place, pin }: Bench): Promise<Child> {
  return startChild(await program.launch(place), 'subject', pin);
}

/** CPU time of the process per request, in microseconds; `file` holds the requests. */
export function cpuTime(server: Child, file: string, bench: Bench): Measure {
  return async () => {
    const underLoad = await load(server, file, bench, bench.generator);
    return { value: underLoad.cpuMicros, underLoad };
  };
}

/** The 99th percentile of latency at `rate` requests a second, in milliseconds. */
export function latencyAt(rate: number, server: Child, file: string, bench: Bench): Measure {
  return async () => {
    const underLoad = await load(server, file, bench, steadyGenerator(rate));
    return { value: underLoad.p99Ms, underLoad };
  };
}

/** Of a process that is started for it, and ended. */
export function atStart(measures: 'readyMs' | 'rssMiB', program: Program, bench: Bench): Measure {
  return async () => {
    await using server = await startProgram(program, bench);
    const { rssMiB } = await server.ask('usage');
    return { value: measures === 'readyMs' ? server.readyMs : rssMiB };
  };
}

/** How many requests a second are answered by a program that has nothing else to do. */
export async function fullRate(server: Child, file: string, bench: Bench): Promise<number> {
  const { generator, pin } = bench;
  const report = await runLoad(generator, { ...bench, url: server.url, file }, pin);
  return report.requests / report.seconds;
}

/** Of one request. @throws Error when any was answered with a failure, or none at all. */
async function load(
  server: Child,
  file: string,
  bench: Bench,
  generator: LoadGenerator,
): Promise<UnderLoad> {
  const [{ p50Ms, p99Ms }, perRequest] = await Promise.all([
    runLoad(generator, { ...bench, url: server.url, file }, bench.pin),
    inTheMiddle(server, bench),
  ]);
  const { answered, unexpected } = await server.ask('usage');
  if (unexpected > 0) throw new Error(`${unexpected} of ${answered} answers were no 200 or 304.`);
  return { ...perRequest, p50Ms, p99Ms };
}

/** From a fifth of the run to nine tenths, so that as many requests are half done at the end as were at the beginning. */
async function inTheMiddle(
  server: Child,
  { services, seconds }: Bench,
): Promise<Pick<UnderLoad, 'cpuMicros' | 'calls'>> {
  const read = () => Promise.all([server.ask('usage'), services.ask('calls')]);
  await setTimeout(seconds * 200);
  const [before, callsBefore] = await read();
  await setTimeout(seconds * 700);
  const [after, callsAfter] = await read();
  const answered = after.answered - before.answered;
  if (answered === 0) throw new Error('No request was answered. Give it more --seconds.');
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / answered,
    calls: (callsAfter - callsBefore) / answered,
  };
}
