/** Measures the programs of a row in turn, in rounds: noise of the machine meets all of them. */
import { join } from 'node:path';
import { checkAnswers, revalidating } from './check-answers.ts';
import type { Running } from './check-answers.ts';
import { writeRequests } from './load/request-file.ts';
import { atStart, fullRate, latencyAt, startProgram, underFullLoad } from './measure.ts';
import type { Bench, Measure, Measurement, Target } from './measure.ts';
import type { Place } from './programs.ts';
import type { Row, Traffic } from './row.ts';

/** A measurement of each program, in the order of the row. */
export type Round = readonly Measurement[];

/**
 * Starts the programs anew for each launch: two launches of the same program differ by 10 to 20 %.
 * @throws Error when a program does not start, answers wrongly, or fails under load.
 */
export async function compare(row: Row, bench: Bench): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let launch = 0; launch < bench.launches; launch += 1) {
    const left = Math.ceil((bench.rounds - rounds.length) / (bench.launches - launch));
    if (left <= 0) break;
    // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
    rounds.push(...(await measureLaunch(row, { ...bench, rounds: left }, launch % 2 === 1)));
  }
  return rounds;
}

/** `reversed`: the last program goes first, so that none always has the better place. */
async function measureLaunch(
  { programs, load }: Row,
  bench: Bench,
  reversed: boolean,
): Promise<readonly Round[]> {
  if (load.kind === 'start') {
    const measures = programs.map((program) => atStart(load.measures, program, bench));
    if (bench.warmsUp) await round(measures, reversed);
    return inRounds(bench.rounds, measures, reversed);
  }
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const program of programs) {
    // oxlint-disable-next-line no-await-in-loop -- they share a core
    running.push({ program, server: stack.use(await startProgram(program, bench)) });
  }
  await checkAnswers(running, load);
  const targets = await Promise.all(running.map((one) => targetOf(one, load, bench)));
  if (bench.warmsUp) await warmUp(targets, load, bench);
  const rounds = await inRounds(bench.rounds, await underLoad(load, targets, bench), reversed);
  await checkAnswers(running, load);
  return rounds;
}

/** Opens connections, and lets V8 and GraphQL's compiler compile what is busy. */
async function warmUp(targets: readonly Target[], load: Traffic, bench: Bench): Promise<void> {
  const { warmUpSeconds = 1 } = load.kind === 'full' ? load : {};
  const seconds = Math.max(warmUpSeconds, bench.seconds);
  // oxlint-disable-next-line no-await-in-loop -- they share a core
  for (const target of targets) await fullRate(target, { ...bench, seconds });
}

async function underLoad(
  load: Traffic,
  targets: readonly Target[],
  bench: Bench,
): Promise<readonly Measure[]> {
  switch (load.kind) {
    case 'full':
      return targets.map((target) => underFullLoad(load.measures, target, bench));
    case 'half': {
      const [subject] = targets;
      if (subject === undefined) throw new Error('A row has no program.');
      const rate = Math.ceil((await fullRate(subject, bench)) / 2);
      return targets.map((target) => latencyAt(rate, target, bench));
    }
    default:
      return load satisfies never;
  }
}

/** Writes what a load sends to a program. */
export async function targetOf(
  { program, server }: Running,
  load: Traffic,
  { place }: { readonly place: Place },
): Promise<Target> {
  const { toRequest } = program;
  const requests = toRequest ? load.requests.map(toRequest) : load.requests;
  const revalidates = load.kind === 'full' && load.revalidates === true;
  const file = join(place.folder, `${program.name.replaceAll(/\W+/g, '-')}-requests`);
  await writeRequests(file, revalidates ? await revalidating(server, requests) : requests);
  const status = (load.kind === 'full' ? load.status : undefined) ?? 200;
  return { server, file, statuses: revalidates ? [status, 304] : [status] };
}

async function inRounds(
  count: number,
  measures: readonly Measure[],
  reversed: boolean,
): Promise<Round[]> {
  const rounds: Round[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
  while (rounds.length < count) rounds.push(await round(measures, reversed));
  return rounds;
}

async function round(measures: readonly Measure[], reversed: boolean): Promise<Round> {
  const inTurn = reversed ? measures.toReversed() : measures;
  const measured: Measurement[] = [];
  // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
  for (const measure of inTurn) measured.push(await measure());
  return reversed ? measured.toReversed() : measured;
}
