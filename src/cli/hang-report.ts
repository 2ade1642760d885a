/** Ends a process whose event loop hangs, and logs the step whose function does not end. */
import { closeSync, writeSync } from 'node:fs';
import type { LogSettings } from '../settings/settings.ts';
import { createLog } from '../telemetry/log.ts';
import { lastBegun } from '../under-way.ts';
import { innermostFrames } from './stray-errors.ts';

export interface Hang {
  readonly limitMs: number;
  readonly log: Pick<LogSettings, 'level' | 'format'>;
}

/** Beyond the codes of sysexits, so that it means nothing else. */
const hangExitCode = 79;

/** Runs in the midst of what hangs, which is on the stack, and returns to nobody. */
export function endHungProcess(hang: Hang): never {
  Error.stackTraceLimit = 50;
  const { stack = '' } = new Error();
  // Without this function and those by which the thread has called it.
  const frames = stack.split('\n').slice(4);
  logHang(hang, { ...begunIn(frames), at: innermostFrames(frames) });
  // Or Node would write there that it waits for a debugger.
  closeSync(2);
  process.removeAllListeners('exit');
  process.exit(hangExitCode);
}

/** Writes at once: nothing happens later. */
export function logHang({ limitMs, log }: Hang, place: Readonly<Record<string, unknown>>): void {
  createLog({ ...log, write: (line) => void writeSync(2, line) }).error(
    { limit_ms: limitMs, ...place },
    'The event loop hangs: the process ends, for its supervisor to start another',
  );
}

/** Our calls of the functions of authors. */
const ofMap = /\brun \(.*\/engine\/compute\.[jt]s:/;
const ofInputs = /\bparseInputs \(.*\/http\/inputs\.[jt]s:/;

const ofAnswer = /\bparsedReply \(.*\/upstream\/exchange\/parse\.[jt]s:/;

function begunIn(frames: readonly string[]): Readonly<Record<string, unknown>> {
  const { composition, step, answered } = lastBegun();
  if (answered !== undefined && frames.some((frame) => ofAnswer.test(frame)))
    return { service: answered.service.name, operation: answered.name };
  if (frames.some((frame) => ofMap.test(frame))) return { composition, step };
  return frames.some((frame) => ofInputs.test(frame)) ? { composition, step: 'input' } : {};
}
