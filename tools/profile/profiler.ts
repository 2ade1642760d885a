/** Preloaded into a profiled program (`node --import`): runs V8's CPU profiler when asked to. */
import { Session } from 'node:inspector/promises';
import { answerTo } from '../../bench/process/questions.ts';

/** 10,000 samples in 5 seconds. At 200 µs the profiler itself takes a quarter of the time. */
const intervalMicros = 500;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: intervalMicros });

answerTo('startProfile', async () => {
  await session.post('Profiler.start');
  return true as const;
});
answerTo('stopProfile', async () => (await session.post('Profiler.stop')).profile);
