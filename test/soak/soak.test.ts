/** The short form of the soak; `npm run soak` is the long one. */
import { expect, it } from 'vitest';
import { run } from '../support/processes.ts';

it('a gateway keeps nothing of the requests it has served', async () => {
  const args = ['--requests', '5000', '--warm-up', '1000', '--minutes', '0.9'];
  const soak = run('test/soak/soak.ts', args, { NODE_OPTIONS: '--max-old-space-size=128' });
  const code = await soak.exitCode;
  expect({ code, errors: soak.errors() }).toEqual({ code: 0, errors: '' });
  expect(soak.lines.at(-1)).toBe('ok');
});
