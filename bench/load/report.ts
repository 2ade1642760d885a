/** The report of a load generator about a run: the last line of its output, as JSON. */
import { z } from 'zod';

const schema = z.object({
  /** Answered in time, whatever the answer was. */
  requests: z.int(),
  /** Connections that were refused, broken or too slow. */
  failures: z.int(),
  seconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
});

export type Report = z.output<typeof schema>;

/** @throws Error with the output that is no report. */
export function parseReport(output: string): Report {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) {
    throw new Error(`The load generator gave no report. It said: ${output.trim() || 'nothing'}`);
  }
  return schema.parse(JSON.parse(line));
}

/** @throws Error when a request failed or none was answered: such a run measures nothing. */
export function checkReport({ requests, failures }: Report): void {
  if (failures > 0)
    throw new Error(`There were ${failures} failures, ${requests} requests were answered.`);
  if (requests === 0) throw new Error('No request was answered under load.');
}
