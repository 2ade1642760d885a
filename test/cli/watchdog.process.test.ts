/** An event loop that hangs, in a process of its own. */
import { describe, expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run } from '../support/processes.ts';
import { request } from '../support/request.ts';
import { startServer } from '../support/servers.ts';

const secret = 'sk_live_51H8';

const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

const compositions = {
  'busy.ts': `
    import { execFileSync } from 'node:child_process';
    import { defineComposition, map } from 'plait';
    function work(how: string): void {
      if (how === 'loop') { console.log('looping'); for (;;) {} }
      if (how === 'caught') for (;;) { try { JSON.parse('{'); } catch {} }
      if (how === 'regex') /^(a+)+$/.test('a'.repeat(60) + 'b');
      if (how === 'atomics') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      if (how === 'child') execFileSync('sleep', ['20']);
      if (how === 'short') { const end = performance.now() + 300; while (performance.now() < end); }
    }
    export default defineComposition({
      route: 'GET /busy/:how',
      compose: ({ params }) => {
        const total = map(params.how, (how) => { work(how); return how; });
        return { total };
      },
    });`,
  'checked.ts': `
    import { defineComposition } from 'plait';
    import { z } from 'zod';
    export default defineComposition({
      route: 'POST /checked',
      body: z.object({ name: z.string().refine(() => { for (;;) {} }) }),
      compose: ({ body }) => ({ name: body.name }),
    });`,
};

/** Its schema does not end either, for an answer of a service. */
const read = (url: string) => `
  import { call, defineComposition, defineService, operation } from 'plait';
  import { z } from 'zod';
  const shop = defineService({ name: 'shop', url: '${url}' });
  const part = operation(shop, {
    name: 'part',
    route: 'GET /part',
    response: z.object({ name: z.string().refine(() => { for (;;) {} }) }),
  });
  export default defineComposition({ route: 'GET /read', compose: () => call(part, {}) });`;

async function start(environment: Record<string, string> = {}) {
  const { url: shop } = await startServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(`{"name":"${secret}"}`),
  );
  const folder = await folderWith({ ...compositions, 'read.ts': read(shop) });
  const program = run('bin/plait.js', ['start', '--compositions', folder], {
    ...nowhere,
    PORT: '0',
    LOG_FORMAT: 'json',
    SHUTDOWN_DELAY_MS: '0',
    HANG_LIMIT_MS: '1000',
    ...environment,
  });
  const url = await program.ready;
  return { program, url };
}

/** Asks for something that will not be answered. */
function ask(url: string, init?: RequestInit): void {
  void fetch(url, init).catch(() => undefined);
}

const linesOf = (errors: string): readonly unknown[] =>
  errors
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

describe('plait start with HANG_LIMIT_MS', () => {
  it.each(['loop', 'caught', 'regex', 'atomics'])(
    'ends with 79 and names the step after the limit: %s',
    async (how) => {
      const { program, url } = await start();
      const asked = performance.now();
      ask(`${url}/busy/${how}`);
      expect(await program.exitCode).toBe(79);
      expect(performance.now() - asked).toBeGreaterThan(900);
      expect(linesOf(program.errors())).toEqual([
        {
          level: 'error',
          time: expect.any(String),
          message: expect.stringContaining('The event loop hangs'),
          limit_ms: 1_000,
          composition: 'busy',
          step: 'total',
          at: expect.stringMatching(
            /^at (?:\S+ \(<anonymous>\) at )?work \(file:.*busy\.ts:\d+:\d+\)/,
          ),
        },
      ]);
    },
  );

  it('names the part of the request whose schema does not end', async () => {
    const { program, url } = await start();
    const headers = { 'content-type': 'application/json' };
    ask(`${url}/checked`, { method: 'POST', headers, body: `{"name":"${secret}"}` });
    expect(await program.exitCode).toBe(79);
    expect(program.errors()).not.toContain(secret);
    expect(linesOf(program.errors())).toMatchObject([
      { composition: 'checked', step: 'input', at: expect.stringContaining('checked.ts') },
    ]);
  });

  it('names the service and the operation whose answer is read', async () => {
    const { program, url } = await start();
    ask(`${url}/read`);
    expect(await program.exitCode).toBe(79);
    expect(program.errors()).not.toContain(secret);
    expect(linesOf(program.errors())).toMatchObject([
      { service: 'shop', operation: 'part', at: expect.stringContaining('read.ts') },
    ]);
  });

  it('kills a process that is held outside of JavaScript, where nothing can interrupt it', async () => {
    const { program, url } = await start();
    ask(`${url}/busy/child`);
    expect(await program.exitCode).toBeNull();
    expect(linesOf(program.errors())).toMatchObject([
      { message: expect.stringContaining('The event loop hangs') },
    ]);
  });

  it('ends one that does not hear SIGTERM', async () => {
    const { program, url } = await start();
    ask(`${url}/busy/loop`);
    await expect.poll(() => program.lines).toContain('looping');
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(79);
  });

  it('lets a function take a while', async () => {
    const { program, url } = await start();
    expect((await request(`${url}/busy/short`)).json).toEqual({ total: 'short' });
    expect((await request(`${url}/busy/short`)).json).toEqual({ total: 'short' });
    expect(program.errors()).toBe('');
  });

  it('does not take a process that was stopped for one that hangs', async () => {
    const { program, url } = await start();
    program.kill('SIGSTOP');
    await new Promise((resolve) => void setTimeout(resolve, 2_500));
    program.kill('SIGCONT');
    await new Promise((resolve) => void setTimeout(resolve, 500));
    expect((await request(`${url}/busy/fine`)).json).toEqual({ total: 'fine' });
    expect(program.errors()).toBe('');
  });

  it('stops without a trace of it', async () => {
    const { program } = await start();
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
    expect(program.errors()).toBe('');
  });
});
