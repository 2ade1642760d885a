/** Preloaded into every program of the bench (`node --import`): says what the process has used and done so far. */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { answerTo } from './questions.ts';

let answered = 0;
let unexpected = 0;

// Counted here, at the same moment as the CPU time is read: a load generator counts at another one.
subscribe('http.server.response.finish', (message) => {
  const { statusCode } = (message as { response: ServerResponse }).response; // as Node documents it
  answered += 1;
  if (statusCode !== 200 && statusCode !== 304) unexpected += 1;
});

answerTo('usage', () => {
  const { user, system } = process.cpuUsage();
  return {
    cpuMicros: user + system,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    answered,
    unexpected,
  };
});
// However the bench ended, nothing it has started stays.
process.on('disconnect', () => process.exit());
