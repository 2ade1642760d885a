/** The programs that make load, by the commands that start them. Each ends with a report. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export interface Run {
  readonly url: string;
  /** Written by `request-file`. */
  readonly file: string;
  readonly seconds: number;
  readonly connections: number;
}

export interface LoadGenerator {
  readonly name: string;
  command(run: Run): readonly string[];
  /** It has to be stopped by SIGINT when the time is over. */
  readonly stopsBySignal: boolean;
}

/**
 * Each connection sends its next request when the last one is answered. By wrk, or else by
 * autocannon.
 */
export function findGenerator(): LoadGenerator {
  return spawnSync('wrk', ['-v']).error === undefined ? wrk : autocannon;
}

/** Longer than wrk's 2 seconds: how long is too long is for the program under test to decide. */
const timeout = '12s';

const wrk: LoadGenerator = {
  name: 'wrk',
  command({ url, file, seconds, connections }) {
    // wrk takes whole seconds only, so a signal ends it; this ends it when the bench is gone.
    const duration = `${Math.ceil(seconds) + 1}s`;
    const script = join(import.meta.dirname, 'load.lua');
    const counts = ['-t', '1', '-c', String(connections), '-d', duration, '--timeout', timeout];
    return ['wrk', ...counts, '-s', script, url, '--', file];
  },
  stopsBySignal: true,
};

const autocannon: LoadGenerator = {
  name: 'autocannon',
  command: (run) => program('autocannon.ts', run),
  stopsBySignal: false,
};

/** Sends `rate` requests a second, whether or not earlier ones have been answered. */
export function steadyGenerator(rate: number): LoadGenerator {
  return {
    name: 'steady',
    command: (run) => [...program('steady.ts', run), String(rate)],
    stopsBySignal: false,
  };
}

function program(script: string, { url, file, seconds, connections }: Run): readonly string[] {
  const path = join(import.meta.dirname, script);
  return [process.execPath, path, url, file, String(seconds), String(connections)];
}
