/** Errors that not even the app has caught, such as headers that cannot be written. */
import { expect, it } from 'vitest';
import { unansweredReporter } from '../../src/cli/stray-errors.ts';
import { createFakeClock } from '../support/fake-clock.ts';

it('logs the kind and place of an error once a minute, and nothing of its message', () => {
  const clock = createFakeClock();
  const lines: object[] = [];
  const report = unansweredReporter(clock, {
    error: (fields, message) => void lines.push({ ...fields, message }),
  });
  const fail = (): void => report(new TypeError('canary'));
  for (let count = 0; count < 2; count += 1) fail();
  report('canary');
  expect(lines).toEqual([
    {
      'error.type': 'TypeError',
      at: expect.stringContaining('unanswered.test.ts'),
      message: expect.stringContaining('got no answer'),
    },
    { 'error.type': 'string', message: expect.stringContaining('got no answer') },
  ]);
  clock.advance(60_000);
  report('canary');
  expect(lines).toHaveLength(3);
  expect(JSON.stringify(lines)).not.toContain('canary');
});
