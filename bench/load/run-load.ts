/** One run of a load generator, next to the services. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { endWithUs, within } from '../process/child.ts';
import type { Pin } from '../process/pinning.ts';
import type { LoadGenerator, Run } from './generators.ts';
import { checkReport, parseReport } from './report.ts';
import type { Report } from './report.ts';

/** Time for starting, the last answers and the report. */
const patienceMs = 15_000;

/** @throws Error when a request failed, or when there is no report in time. */
export async function runLoad(generator: LoadGenerator, run: Run, pin: Pin): Promise<Report> {
  const [command = '', ...args] = pin('surroundings', generator.command(run));
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const durationMs = run.seconds * 1_000;
  const tell = setTimeout(() => generator.stopsBySignal && child.kill('SIGINT'), durationMs);
  try {
    const [output] = await within(
      durationMs + patienceMs,
      Promise.all([text(child.stdout), endWithUs(child)]),
      generator.name,
    );
    const report = parseReport(output);
    checkReport(report);
    return report;
  } finally {
    clearTimeout(tell);
    child.kill('SIGKILL');
  }
}
