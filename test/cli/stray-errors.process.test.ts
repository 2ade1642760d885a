/** Errors that nobody has caught, in a process of its own. */
import { describe, expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { adminOf, run } from '../support/processes.ts';
import { request } from '../support/request.ts';

const secret = 'sk_live_51H8';

const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

const compositions = {
  'stray.ts': `
    import { defineComposition, map } from 'plait';
    export const fine = null;
    export default defineComposition({
      route: 'GET /stray/:how',
      compose: ({ params }) => ({
        how: map(params.how, (how) => {
          if (how === 'rejection') void Promise.reject(new TypeError('${secret}\\n    at ${secret}'));
          if (how === 'text') void Promise.reject('${secret}');
          for (let ms = 1; how === 'timer' && ms < 50; ms += 1)
            setTimeout(() => { throw new RangeError('${secret}'); }, ms);
          return how;
        }),
      }),
    });`,
  'checked.ts': `
    import { defineComposition } from 'plait';
    import { z } from 'zod';
    export default defineComposition({
      route: 'POST /checked',
      body: z.object({ name: z.string().refine(() => Promise.reject(new Error('${secret}'))) }),
      compose: ({ body }) => ({ name: body.name }),
    });`,
};

async function start() {
  const folder = await folderWith(compositions);
  const environment = { ...nowhere, PORT: '0', LOG_FORMAT: 'json', SHUTDOWN_DELAY_MS: '1000' };
  const program = run('bin/plait.js', ['start', '--compositions', folder], environment);
  return { program, url: await program.ready };
}

const lines = (errors: string) =>
  errors
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line));

describe('plait start', () => {
  it('goes on after promises that are rejected and that nobody waits for', async () => {
    const { program, url } = await start();
    expect((await request(`${url}/stray/rejection`)).json).toEqual({ how: 'rejection' });
    await expect.poll(() => program.errors()).toContain('A promise was rejected');
    expect((await request(`${url}/stray/text`)).json).toEqual({ how: 'text' });
    expect((await request(`${url}/stray/fine`)).json).toEqual({ how: 'fine' });
    const [line] = lines(program.errors());
    expect(line).toMatchObject({ level: 'error', 'error.type': 'TypeError', count: 1 });
    expect(line?.['at']).toContain('stray.ts');
    // Those that follow are told of within a second.
    await expect
      .poll(() => lines(program.errors())[1], { timeout: 5_000 })
      .toMatchObject({ 'error.type': 'string', count: 1 });
    expect(program.errors()).not.toContain(secret);
  });

  it('counts them', async () => {
    const { program, url } = await start();
    await request(`${url}/stray/rejection`);
    await expect
      .poll(async () => (await fetch(`${adminOf(program)}/metrics`)).text())
      .toMatch(/plait_stray_errors_total\{plait_kind="rejection".*\} 1/);
  });

  it('answers what is in flight and ends with 70 after an exception in a timer', async () => {
    const { program, url } = await start();
    expect((await request(`${url}/stray/timer`)).status).toBe(200);
    await expect.poll(() => program.errors()).toContain('An exception was not caught');
    expect((await request(`${url}/stray/fine`)).status).toBe(200);
    expect(await program.exitCode).toBe(70);
    const [line, ...more] = lines(program.errors());
    expect(line).toMatchObject({ level: 'error', 'error.type': 'RangeError', count: 1 });
    // Not one for each of a timer that goes on.
    expect(more.length).toBeLessThan(3);
    expect(program.errors()).not.toContain(secret);
  });

  it('is not ended by a client whose body reaches an asynchronous refinement', async () => {
    const { program, url } = await start();
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const { status } = await request(`${url}/checked`, { ...init, body: '{"name":"a"}' });
    expect(status).toBe(400);
    expect((await request(`${url}/stray/fine`)).status).toBe(200);
    expect(program.errors()).not.toContain('A promise was rejected');
  });
});
