/** A thread that ends the process if the event loop hangs, as in an endless loop of a `map`. */
import { url as debuggerUrl } from 'node:inspector';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { endHungProcess } from './hang-report.ts';
import type { Hang } from './hang-report.ts';

export interface WatchdogOptions extends Pick<Hang, 'log'> {
  /** How long the event loop may stand still; absent: nothing is watched. */
  readonly limitMs: number | undefined;
  /** Called if the thread ends by itself, so that nothing is watched any more. */
  readonly onEnd: () => void;
}

/** How often the event loop shows that it turns, within the limit. */
const beatsPerLimit = 20;

/** Indexes of the shared numbers: the count of beats, and whether a debugger is attached. */
const places = { beat: 0, debugged: 1 } as const;

/** The name by which the thread calls a function of this one. */
const callName = 'plait.endHungProcess';

/**
 * Watches the event loop of this thread until it is disposed of. The time in which the process as a
 * whole was stopped does not count: the thread counts its own turns between two beats.
 */
export function startWatchdog({ limitMs, log, onEnd }: WatchdogOptions): AsyncDisposable {
  if (limitMs === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const hang = { limitMs, log };
  const shared = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const beatMs = limitMs / beatsPerLimit;
  const beat = (): void => {
    // A breakpoint is no hang.
    Atomics.store(shared, places.debugged, debuggerUrl() === undefined ? 0 : 1);
    Atomics.add(shared, places.beat, 1);
  };
  const timer = setInterval(beat, beatMs).unref();
  const global = { configurable: true, value: () => endHungProcess(hang) };
  Object.defineProperty(globalThis, Symbol.for(callName), global);
  const worker = startThread({ hang, shared, places, beatMs, beatsPerLimit, callName, reportUrl });
  worker.once('exit', onEnd);
  worker.on('error', () => undefined); // `exit` follows
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      worker.off('exit', onEnd);
      await worker.terminate();
      Reflect.deleteProperty(globalThis, Symbol.for(callName));
    },
  };
}

/** All that the thread knows. */
interface Watched {
  readonly hang: Hang;
  readonly shared: Int32Array;
  readonly places: typeof places;
  readonly beatMs: number;
  readonly beatsPerLimit: number;
  readonly callName: string;
  /** The module that the thread imports if this one cannot write the log line. */
  readonly reportUrl: string;
}

const reportUrl = import.meta.resolve(`./hang-report${extname(import.meta.filename)}`);

/**
 * Starts the thread from text: a file would take 11 MiB more where its types have to be stripped.
 * No options of this process apply to it, such as modules to be imported first.
 */
function startThread(watched: Watched): Worker {
  const options = { eval: true, workerData: watched, env: {}, execArgv: [], argv: [] };
  const worker = new Worker(`(${watch.toString()})()`, options);
  worker.unref();
  return worker;
}

/** Runs in the thread, as text: it can use nothing that is outside of it. */
function watch(): void {
  const { Session } = process.getBuiltinModule('node:inspector');
  const { workerData } = process.getBuiltinModule('node:worker_threads');
  const watched = workerData as Watched; // given by startThread
  const { shared, places: at, beatsPerLimit: most } = watched;
  let seen = 0;
  let missed = 0;

  const timer = setInterval(() => {
    const beats = Atomics.load(shared, at.beat);
    const turns = beats !== seen || Atomics.load(shared, at.debugged) === 1;
    seen = beats;
    missed = turns ? 0 : missed + 1;
    if (missed <= most) return;
    clearInterval(timer);
    interrupt();
    setTimeout(kill, 3_000);
  }, watched.beatMs);

  /** V8 interrupts a loop and even a regular expression, and runs the statement in between. */
  function interrupt(): void {
    const session = new Session();
    session.connectToMainThread();
    const expression = `globalThis[Symbol.for('${watched.callName}')]()`;
    session.post('Runtime.evaluate', { expression });
  }

  /** The thread is held outside of JavaScript, as by a file or a child process. */
  function kill(): void {
    const end = process.kill.bind(process, process.pid, 'SIGKILL');
    setTimeout(end, 3_000);
    import(watched.reportUrl).then(({ logHang }) => logHang(watched.hang, {})).finally(end);
  }
}
