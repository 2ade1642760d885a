/**
 * Soak: many requests of many kinds to one gateway whose services go wrong in many ways, to see that it
 * keeps nothing of them. Run it with `npm run soak -- --requests 200000`.
 *
 * The gateway lives in this process; services and clients live in one child (`crowd.ts`), so the heap
 * measured here is the gateway's. It is measured when nothing is under way, after a garbage collection,
 * at 20, 60 and 100 % of the requests; those before the first mark are preceded by a warm-up, which fills
 * pools and compiles code. Ends with 1 when the heap at 60 or 100 % differs from that at 20 % by more
 * than a tenth, when the process holds anything after the gateway has closed that it did not hold before,
 * or when a request ended in a way that is not documented.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addressesOf } from '../support/addresses.ts';
import { startGateway } from '../support/gateway.ts';
import type { Ends, Task, Word } from './crowd.ts';
import { soakPlans } from './compositions.ts';

interface Settings {
  readonly requests: number;
  /** Requests before the ones that count. */
  readonly warmUp: number;
  readonly concurrency: number;
  /** As long as it may take. */
  readonly minutes: number;
}

const mostGrowth = 0.1;

/** Of every kind there have to be some, or the soak has not tried what it is for. */
const wanted = [
  'ok',
  'gone',
  'degraded by status',
  'degraded by reset',
  'degraded by invalid-body',
  'degraded by timeout',
  'degraded by breaker-open',
  'urn:plait:problem:upstream-404',
  'urn:plait:problem:upstream-status',
  'urn:plait:problem:upstream-reset',
  'urn:plait:problem:upstream-invalid-body',
  'urn:plait:problem:upstream-timeout',
  'urn:plait:problem:upstream-breaker-open',
  'urn:plait:problem:deadline',
];
const tolerated = ['degraded', 'degraded by deadline', 'degraded by overloaded'];

function readSettings(): Settings {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { requests: number, 'warm-up': number, concurrency: number, minutes: number },
  });
  return {
    requests: Number(values.requests ?? 200_000),
    warmUp: Number(values['warm-up'] ?? 2_000),
    concurrency: Number(values.concurrency ?? 64),
    minutes: Number(values.minutes ?? 15),
  };
}

/** @returns what is wrong */
async function soak({ requests, warmUp, concurrency }: Settings): Promise<string[]> {
  const before = resources();
  const crowd = await startCrowd();
  const internalErrors: unknown[] = [];
  const plans = soakPlans();
  const gateway = await startGateway({
    plans,
    host: '127.0.0.1',
    port: 0,
    addresses: addressesOf(plans, { SOAK_URL: crowd.upstream }),
    onInternalError: (error) => internalErrors.push(error),
  });
  const ends: Record<string, number> = {};
  let asked = 0;
  async function ask(count: number): Promise<number> {
    const task = { gateway: gateway.url, from: asked, count, concurrency };
    asked += count;
    for (const [end, times] of Object.entries(await crowd.run(task))) {
      ends[end] = (ends[end] ?? 0) + times;
    }
    const heap = await heapAtRest();
    say(`${asked} requests: heap ${megabytes(heap)} MB, resident ${megabytes(residentNow())} MB`);
    return heap;
  }
  const startedAt = performance.now();
  await ask(warmUp);
  const [at20, at60, at100] = [
    await ask(Math.round(requests * 0.2)),
    await ask(Math.round(requests * 0.4)),
    await ask(Math.round(requests * 0.4)),
  ];
  say(`${Math.round((performance.now() - startedAt) / 1_000)} s`);
  await gateway.close({ graceMs: 1_000 });
  await crowd.stop();
  say(JSON.stringify(ends));
  return [
    ...growth(at20, { '60 %': at60, '100 %': at100 }),
    ...(await leftovers(before)),
    ...strange(ends),
    ...internalErrors.map((error) => `internal error: ${String(error)}`),
  ];
}

function growth(first: number, later: Readonly<Record<string, number>>): string[] {
  return Object.entries(later)
    .filter(([, heap]) => Math.abs(heap - first) > first * mostGrowth)
    .map(([mark, heap]) => {
      const percent = Math.round((heap / first - 1) * 1_000) / 10;
      return `the heap at ${mark} is ${megabytes(heap)} MB, ${percent} % off the ${megabytes(first)} MB at 20 %`;
    });
}

async function leftovers(before: Resources): Promise<string[]> {
  for (let tries = 0; tries < 100 && !isDeepStrictEqual(resources(), before); tries += 1) {
    await sleep(50);
  }
  const after = resources();
  if (isDeepStrictEqual(after, before)) return [];
  return [
    `it holds ${JSON.stringify(after)} after it has closed, ${JSON.stringify(before)} before`,
  ];
}

function strange(ends: Ends): string[] {
  const known = new Set([...wanted, ...tolerated]);
  return [
    ...wanted.filter((end) => !(end in ends)).map((end) => `no request ended with "${end}"`),
    ...Object.keys(ends)
      .filter((end) => !known.has(end))
      .map((end) => `${ends[end]} requests ended with "${end}"`),
  ];
}

type Resources = Readonly<Record<string, number>>;

/**
 * The resources that keep the process alive, by kind, without its output: that is not the
 * gateway's.
 */
function resources(): Resources {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (!/^(TTY|Pipe|FS)/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** After this time nothing is under way any more: attempts and pauses are shorter. */
const restMs = 500;

async function heapAtRest(): Promise<number> {
  await sleep(restMs);
  for (let times = 0; times < 2; times += 1) {
    collectGarbage();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

const collectGarbage: () => void = globalThis.gc ?? gcOfContext();

/** For when nobody said `--expose-gc`. */
function gcOfContext(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void; // the flag has just put it there
}

const residentNow = (): number => process.memoryUsage().rss;
const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(2);

interface Crowd {
  readonly upstream: string;
  run(task: Task): Promise<Ends>;
  stop(): Promise<void>;
}

/** Ends with this process, whatever becomes of it: its channel closes. */
async function startCrowd(): Promise<Crowd> {
  const child = fork(join(import.meta.dirname, 'crowd.ts'), [], { execArgv: [] });
  const word = await nextWord(child);
  if (!('upstream' in word)) throw new Error('the crowd did not say where its services are');
  return {
    upstream: word.upstream,
    async run(task) {
      child.send(task);
      const answer = await nextWord(child);
      if (!('ends' in answer)) throw new Error('the crowd did not say how its requests ended');
      return answer.ends;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function nextWord(child: ChildProcess): Promise<Word> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the crowd ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (word: Word) => {
      child.off('exit', onExit);
      resolve(word);
    });
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// V8 drops the code of functions that have not run for a while, such as Node's for TypeScript: 4 MB at any moment.
setFlagsFromString('--no-flush-bytecode');

const settings = readSettings();
setTimeout(() => {
  process.stderr.write(`soak: not over after ${settings.minutes} minutes\n`);
  process.exit(1);
}, settings.minutes * 60_000).unref();
const problems = await soak(settings);
for (const problem of problems) process.stderr.write(`soak: ${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
if (problems.length === 0) say('ok');
