/** The measurements, each of one program in one round. */
import { setTimeout } from 'node:timers/promises';
import { steadyGenerator } from './load/generators.ts';
import type { LoadGenerator } from './load/generators.ts';
import { runLoad } from './load/run-load.ts';
import { startChild } from './process/child.ts';
import type { Child } from './process/child.ts';
import type { Pin } from './process/pinning.ts';
import type { Place, Program } from './programs.ts';
import type { FullLoad, Load } from './row.ts';

/** The circumstances that all measurements of a run share. */
export interface Bench {
  readonly place: Place;
  /** The services behind all programs. */
  readonly services: Child;
  readonly generator: LoadGenerator;
  readonly pin: Pin;
  /** The length of one run of load. */
  readonly seconds: number;
  readonly connections: number;
  /** Over all launches. */
  readonly rounds: number;
  /** How often programs are started anew. */
  readonly launches: number;
  /** Each program runs for a while before the first round, which does not count. */
  readonly warmsUp: boolean;
}

export interface Measurement {
  readonly value: number;
  /** Absent where there was no load. */
  readonly underLoad?: UnderLoad;
}

export interface UnderLoad {
  readonly cpuMicros: number;
  /** Near the end. */
  readonly rssMiB: number;
  /** Requests to the services per request. */
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export type Measure = () => Promise<Measurement>;

/** A started program, the file of the requests it is sent, and the statuses that are right. */
export interface Target {
  readonly server: Child;
  readonly file: string;
  readonly statuses: readonly number[];
}

export async function startProgram(program: Program, { place, pin }: Bench): Promise<Child> {
  return startChild(await program.launch(place), 'subject', pin);
}

/** CPU time of the process per request, in microseconds, or its memory in MiB. */
export function underFullLoad(
  measures: FullLoad['measures'],
  target: Target,
  bench: Bench,
): Measure {
  return async () => {
    const underLoad = await load(target, bench, bench.generator);
    return { value: underLoad[measures], underLoad };
  };
}

/** The 99th percentile of latency at `rate` requests a second, in milliseconds. */
export function latencyAt(rate: number, target: Target, bench: Bench): Measure {
  return async () => {
    const underLoad = await load(target, bench, steadyGenerator(rate));
    return { value: underLoad.p99Ms, underLoad };
  };
}

/** Of a process that is started for this measurement, and ended. */
export function atStart(
  measures: Extract<Load, { kind: 'start' }>['measures'],
  program: Program,
  bench: Bench,
): Measure {
  return async () => {
    await using server = await startProgram(program, bench);
    const { rssMiB } = await server.ask('usage');
    return { value: measures === 'readyMs' ? server.readyMs : rssMiB };
  };
}

/** How many requests a second are answered by a program that has nothing else to do. */
export async function fullRate({ server, file }: Target, bench: Bench): Promise<number> {
  const { generator, pin } = bench;
  const report = await runLoad(generator, { ...bench, url: server.url, file }, pin);
  return report.requests / report.seconds;
}

/** @throws Error when any request was answered with a wrong status, or none at all. */
async function load(target: Target, bench: Bench, generator: LoadGenerator): Promise<UnderLoad> {
  const { server, file } = target;
  const [{ p50Ms, p99Ms }, perRequest] = await Promise.all([
    runLoad(generator, { ...bench, url: server.url, file }, bench.pin),
    inTheMiddle(server, bench),
  ]);
  await checkStatuses(target);
  return { ...perRequest, p50Ms, p99Ms };
}

/** Of everything that the process has answered since it started. */
export async function checkStatuses({
  server,
  statuses,
}: Pick<Target, 'server' | 'statuses'>): Promise<void> {
  const { statuses: seen } = await server.ask('usage');
  const wrong = Object.entries(seen).filter(([status]) => !statuses.includes(Number(status)));
  if (wrong.length === 0) return;
  const counts = wrong.map(([status, count]) => `${count} times ${status}`).join(', ');
  throw new Error(`Requests were answered with ${counts}, not with ${statuses.join(' or ')}.`);
}

/**
 * From a fifth of the run to nine tenths: as many requests are half done at the end as at the
 * beginning.
 */
async function inTheMiddle(
  server: Child,
  { services, seconds }: Bench,
): Promise<Omit<UnderLoad, 'p50Ms' | 'p99Ms'>> {
  const read = () => Promise.all([server.ask('usage'), services.ask('calls')]);
  await setTimeout(seconds * 200);
  const [before, callsBefore] = await read();
  await setTimeout(seconds * 700);
  const [after, callsAfter] = await read();
  const answered = after.answered - before.answered;
  if (answered === 0) throw new Error('No request was answered. Give it more --seconds.');
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / answered,
    rssMiB: after.rssMiB,
    calls: (callsAfter - callsBefore) / answered,
  };
}
