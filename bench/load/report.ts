/** What a load generator says about a run: the last line of its output, as JSON. */
import { z } from 'zod';

const schema = z.object({
  /** Answered in time, whatever the answer was. */
  requests: z.int(),
  /** Answers with a status from 400 on, and connections that were refused, broken or too slow. */
  failures: z.int(),
  seconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
});

export type Report = z.output<typeof schema>;

/** @throws Error with what it said instead. */
export function parseReport(output: string): Report {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) {
    throw new Error(`The load generator gave no report. It said: ${output.trim() || 'nothing'}`);
  }
  return schema.parse(JSON.parse(line));
}

/** @throws Error when a run says nothing about a program that works. */
export function checkReport({ requests, failures }: Report): void {
  if (failures > 0)
    throw new Error(`There were ${failures} failures, ${requests} requests were answered.`);
  if (requests === 0) throw new Error('No request was answered under load.');
}
