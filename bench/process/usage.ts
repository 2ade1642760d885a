/** Preloaded into every program (`node --import`): reports what the process has used and done. */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { answerTo } from './questions.ts';

let answered = 0;
const statuses: Record<number, number> = {};

// Counted here, at the same moment as the CPU time is read: a load generator counts at another one.
subscribe('http.server.response.finish', (message) => {
  const { statusCode } = (message as { response: ServerResponse }).response; // as Node documents it
  answered += 1;
  statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
});

answerTo('usage', () => {
  const { user, system } = process.cpuUsage();
  return {
    cpuMicros: user + system,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    answered,
    statuses,
  };
});
// However the bench ended, none of the processes it started outlives it.
process.on('disconnect', () => process.exit());
