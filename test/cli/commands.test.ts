import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run, runMocks } from '../processes.ts';
import type { Program } from '../processes.ts';
import { request } from '../start.ts';

const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

function plait(args: readonly string[], environment: Record<string, string> = {}): Program {
  return run('bin/plait.js', args, environment);
}

async function output(
  program: Program,
): Promise<{ code: number | null; out: string; errors: string }> {
  const code = await program.exitCode;
  return { code, out: program.lines.join('\n'), errors: program.errors() };
}

/** The shipped compositions, and what a test adds to them, where `plait` resolves as it does in the project. */
async function folderWith(files: Record<string, string>): Promise<string> {
  const root = join(import.meta.dirname, '../..');
  const project = await mkdtemp(join(tmpdir(), 'plait-'));
  onTestFinished(() => rm(project, { recursive: true }));
  for (const part of ['src', 'node_modules']) await symlink(join(root, part), join(project, part));
  for (const part of ['package.json', 'compositions'])
    await cp(join(root, part), join(project, part), { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(project, 'compositions', name), text);
  return join(project, 'compositions');
}

const broken = {
  'broken-one.ts': `
    import { defineComposition } from 'plait';
    export default defineComposition({ route: 'GET /one', compose: ({ params }) => ({ id: params.nope }) });`,
  'broken-two.ts': `export default 42;`,
};

describe('plait check', () => {
  it('lists the compositions and ends with 0', async () => {
    const { code, out } = await output(plait(['check']));
    expect(out).toContain('GET /orders/:orderId/summary  (order-summary)');
    expect(out).toContain('4 compositions, no errors');
    expect(code).toBe(0);
  });

  it('reports the errors of all files at once and ends with 1', async () => {
    const { code, errors } = await output(
      plait(['check', '--compositions', await folderWith(broken)]),
    );
    expect(errors).toContain('2 errors in compositions');
    expect(errors).toContain('broken-one: params has no "nope"');
    expect(errors).toContain('broken-two: its default export is not a composition');
    expect(code).toBe(1);
  });

  it('says where it looked when there is no such folder', async () => {
    const { code, errors } = await output(plait(['check', '--compositions', 'nowhere']));
    expect(errors.trim()).toMatch(/^There is no folder nowhere\./);
    expect(code).toBe(1);
  });
});

describe('plait start', () => {
  it('says ready with the base URL when requests are accepted, and stops on SIGTERM with 0', async () => {
    const gateway = plait(['start'], { ...nowhere, PORT: '0' });
    const url = await gateway.ready;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await request(`${url}/readyz`)).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
    expect(gateway.errors()).toBe('');
  });

  it('says where it is managed before it says ready', async () => {
    const gateway = plait(['start'], { ...nowhere, PORT: '0' });
    await gateway.ready;
    const [admin = '', ready] = gateway.lines;
    expect(admin).toMatch(/^admin http:\/\/127\.0\.0\.1:\d+$/);
    expect(ready).toMatch(/^ready /);
    const url = `${admin.slice('admin '.length)}/cache/invalidate`;
    const { json } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"tags":["orders"]}',
    });
    expect(json).toEqual({ invalidated: 0 });
  });

  it('names every address that is missing, once, and ends with 1', async () => {
    const { code, errors } = await output(plait(['start']));
    expect(errors.trim().split('\n')).toEqual([
      expect.stringContaining('ORDERS_URL is not set'),
      expect.stringContaining('PAYMENTS_URL is not set'),
      expect.stringContaining('SHIPPING_URL is not set'),
    ]);
    expect(code).toBe(1);
  });

  it('refuses a port that is none', async () => {
    const { code, errors } = await output(plait(['start'], { ...nowhere, PORT: '80 80' }));
    expect(errors).toContain('PORT is "80 80"');
    expect(code).toBe(1);
  });

  it('refuses a port that is taken', async () => {
    const first = await plait(['start'], { ...nowhere, PORT: '0' }).ready;
    const { code, errors } = await output(
      plait(['start'], { ...nowhere, PORT: new URL(first).port }),
    );
    expect(errors).toContain('EADDRINUSE');
    expect(code).toBe(1);
  });

  it('names the variable when the port of the management side is taken, or is none', async () => {
    const first = plait(['start'], { ...nowhere, PORT: '0' });
    await first.ready;
    const taken = new URL(first.lines[0]?.slice('admin '.length) ?? '').port;
    for (const [port, words] of [
      [taken, `Cannot listen on 127.0.0.1:${taken} (EADDRINUSE). Set ADMIN_PORT`],
      ['none', 'ADMIN_PORT is "none"'],
    ] as const) {
      const { code, out, errors } = await output(
        plait(['start'], { ...nowhere, PORT: '0', ADMIN_PORT: port }),
      );
      expect(errors).toContain(words);
      expect([code, out]).toEqual([1, '']);
    }
  });

  it('refuses a REDIS_URL that is none, and starts without the Redis it names', async () => {
    const { code, errors } = await output(
      plait(['start'], { ...nowhere, PORT: '0', REDIS_URL: 'http://x' }),
    );
    expect(errors).toContain('REDIS_URL');
    expect(code).toBe(1);
    const gateway = plait(['start'], {
      ...nowhere,
      PORT: '0',
      REDIS_URL: 'redis://127.0.0.1:9',
    });
    expect((await request(`${await gateway.ready}/readyz`)).status).toBe(200);
    expect(gateway.errors()).toContain('Redis cannot be used');
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
  });

  it('ends when a port is taken although a Redis was asked for', async () => {
    const first = await plait(['start'], { ...nowhere, PORT: '0' }).ready;
    const { code, errors } = await output(
      plait(['start'], {
        ...nowhere,
        PORT: new URL(first).port,
        REDIS_URL: 'redis://127.0.0.1:9',
      }),
    );
    expect(errors).toContain('EADDRINUSE');
    expect(code).toBe(1);
  });

  it('does not start with a composition that does not load', async () => {
    const folder = await folderWith(broken);
    const { code, errors } = await output(
      plait(['start', '--compositions', folder], { ...nowhere, PORT: '0' }),
    );
    expect(errors).toContain('2 errors in compositions');
    expect(code).toBe(1);
  });

  it('serves the healthy ones where it is told to tolerate that', async () => {
    const folder = await folderWith(broken);
    const services = await runMocks();
    const gateway = plait(['start', '--tolerant', '--compositions', folder], {
      ...services,
      PORT: '0',
    });
    const { status } = await request(`${await gateway.ready}/orders/ord_1001/summary`);
    expect(status).toBe(200);
    expect(gateway.errors()).toContain('Not served: broken-one');
  });

  it('stops in time when the collector is gone', async () => {
    const services = await runMocks();
    const gateway = plait(['start'], {
      ...services,
      PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    });
    const { status } = await request(`${await gateway.ready}/orders/ord_1001/summary`);
    expect(status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
  });
});

describe('plait explain', () => {
  it.each(['order-summary', 'GET /orders/:orderId/summary', '/orders/ord_1/summary'])(
    'finds a composition by %s',
    async (wanted) => {
      const { code, out } = await output(plait(['explain', wanted]));
      expect(out).toContain('GET /orders/:orderId/summary  (order-summary)');
      expect(out).toContain('deadline 2,000 ms · 1 round trip');
      expect(out).toContain('payment: call payments.paymentOf · optional');
      expect(out).toContain('batched by orderId, 100 keys a request (?orderIds=a,b)');
      expect(out).toContain('attempt 2,000 ms');
      expect(code).toBe(0);
    },
  );

  it('prints data', async () => {
    const { out } = await output(plait(['explain', 'customer-orders', '--json']));
    expect(JSON.parse(out)).toMatchObject({
      composition: 'customer-orders',
      roundTrips: 2,
      steps: [
        { name: 'listOrders', kind: 'call', waitsFor: [] },
        {
          name: 'orders',
          kind: 'each',
          waitsFor: ['listOrders'],
          steps: [{ name: 'orders.payment' }, {}],
        },
      ],
    });
  });

  it('prints a flowchart', async () => {
    const { out } = await output(plait(['explain', 'order-tracking', '--mermaid']));
    expect(out).toContain('flowchart LR');
    expect(out).toContain('subgraph');
  });

  it('lists what there is when it does not find one', async () => {
    const { code, errors } = await output(plait(['explain', 'nope']));
    expect(errors).toContain('There is no composition "nope". There are:');
    expect(errors).toContain('GET /orders/:orderId/summary  (order-summary)');
    expect(code).toBe(1);
  });
});

describe('plait dev', () => {
  it('starts mocks and gateway, says how to try it, and starts again on a change', async () => {
    const folder = await folderWith({});
    const dev = plait(['dev', '--compositions', folder], {
      PORT: '0',
      MOCKS_BASE_PORT: await freeBase(),
    });
    const url = await dev.ready;
    expect((await request(`${url}/orders/ord_1001/summary`)).status).toBe(200);
    await said(dev, (lines) =>
      lines.some((line) => line.includes(`curl ${url}/orders/ord_1001/summary`)),
    );
    expect(dev.lines.some((line) => line.includes('Traces'))).toBe(true);

    await writeFile(
      join(folder, 'pong.ts'),
      `import { defineComposition } from 'plait';
       export default defineComposition({ route: 'GET /ping', compose: () => ({ pong: true }) });`,
    );
    const lines = await said(
      dev,
      (all) => all.filter((line) => line.startsWith('ready ')).length === 2,
    );
    const again = lines.findLast((line) => line.startsWith('ready '))?.slice('ready '.length);
    expect((await request(`${again}/ping`)).json).toEqual({ pong: true });
  });
});

async function said(
  program: Program,
  isThere: (lines: readonly string[]) => boolean,
): Promise<readonly string[]> {
  while (!isThere(program.lines)) await new Promise((resolve) => setTimeout(resolve, 20));
  return program.lines;
}

/** Three ports in a row that were free a moment ago, below those the system hands out itself. */
async function freeBase(): Promise<string> {
  return String(10_000 + (process.pid % 6_000) * 3);
}
