import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { adminOf, run, runMocks, runNpm, shipped } from '../support/processes.ts';
import type { Program } from '../support/processes.ts';
import { request } from '../support/request.ts';

const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

/** Runs a command, on the shipped compositions unless `args` name others. */
function plait(args: readonly string[], environment: Record<string, string> = {}): Program {
  const options = args.includes('--compositions') ? [] : shipped;
  return run('bin/plait.js', [...args, ...options], environment);
}

async function output(
  program: Program,
): Promise<{ code: number | null; out: string; errors: string }> {
  const code = await program.exitCode;
  return { code, out: program.lines.join('\n'), errors: program.errors() };
}

const withoutAddress = `
  import { call, defineComposition, defineService, operation } from 'plait';
  import { z } from 'zod';
  const n2 = defineService({ name: 'n2', url: { env: 'N2_URL' } });
  const getNothing = operation(n2, { name: 'getNothing', route: 'GET /a', response: z.unknown() });
  export default defineComposition({
    route: 'GET /nothing',
    compose: () => ({ a: call(getNothing, {}) }),
  });`;

const withHelper = `
  import { defineComposition } from 'plait';
  import type { Ref } from 'plait';
  const labelOf = (id: Ref<string>) => (id ? 'some' : 'none');
  export default defineComposition({
    route: 'GET /helped/:id',
    compose: ({ params }) => ({ label: labelOf(params.id) }),
  });`;

const broken = {
  'broken-one.ts': `
    import { defineComposition } from 'plait';
    export default defineComposition({
      route: 'GET /one',
      compose: ({ params }) => ({ id: params.nope }),
    });`,
  'broken-two.ts': `export default 42;`,
};

describe('plait check', () => {
  it('judges addresses that are set as plait start does, and misses no others', async () => {
    const folder = await folderWith({ 'nothing.ts': withoutAddress });
    const args = ['check', '--compositions', folder];
    expect(await plait(args).exitCode).toBe(0);
    const variables = { N2_URL: 'http://user:canary@n2' };
    const refused = await output(plait(args, variables));
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain('N2_URL contains a value that is not shown here.');
    expect(refused.errors).not.toContain('canary');
    const all = { ...nowhere, ...variables };
    const started = await output(plait(['start', '--compositions', folder], all));
    expect([started.code, started.errors]).toEqual([1, refused.errors]);
  });

  it('names every variable and file that a start would miss, with --env', async () => {
    const keyed = withoutAddress.replace(
      "env: 'N2_URL' }",
      "env: 'N2_URL' }, auth: bearer({ env: 'N2_KEY' }), headers: { 'x-a': { file: '/no/such' } }",
    );
    const text = keyed.replace('import { call', 'import { bearer, call');
    const folder = await folderWith({ 'nothing.ts': text });
    const args = ['check', '--compositions', folder];
    expect(await plait(args).exitCode).toBe(0);
    const { code, errors } = await output(plait([...args, '--env'], { ...nowhere, N2_KEY: '' }));
    expect(code).toBe(1);
    expect(errors).toMatch(/N2_URL is not set.*\n\/no\/such cannot be read.*\nN2_KEY is not set\./);
    const url = { N2_URL: 'http://n2.example', N2_KEY: 'canary' };
    const set = text.replace(/x-a': \{.*?\}/, "x-a': 'a'");
    const other = await folderWith({ 'nothing.ts': set });
    const fine = await output(
      plait(['check', '--env', '--compositions', other], { ...nowhere, ...url }),
    );
    expect([fine.code, fine.errors]).toEqual([
      0,
      'Warning: service "n2": its credentials go to http://n2.example without TLS. Use https.\n',
    ]);
  });

  it('finds a mistake in a helper, and prints nothing of its own reading', async () => {
    const folder = await folderWith({ 'helped.ts': withHelper });
    const { code, errors } = await output(plait(['check', '--compositions', folder]));
    expect(errors).toMatch(/helped: labelOf\(\) branches on `id`, which .*helped\.ts:4\)/);
    expect(errors).not.toContain('Warning');
    expect(code).toBe(1);
  });

  it('lists the compositions and ends with 0', async () => {
    const { code, out } = await output(plait(['check']));
    expect(out).toContain('GET /orders/:orderId/summary  (order-summary)');
    expect(out).toContain('5 compositions, no errors');
    expect(code).toBe(0);
  });

  it('knows a composition over a new service, whose address is set nowhere', async () => {
    const folder = await folderWith({ 'no-address.ts': withoutAddress });
    const { code, out } = await output(plait(['check', '--compositions', folder]));
    expect(out).toContain('GET /nothing  (no-address)');
    expect(out).toContain('6 compositions, no errors');
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

  it('warns on stderr, and start does so in the log, without counting it as an error', async () => {
    const folder = await folderWith({
      'helpers.mts': 'export const value = 1;',
      'hasty.ts': pong.replace('route:', 'deadlineMs: 5, route:'),
    });
    const { code, errors } = await output(plait(['check', '--compositions', folder]));
    expect(errors.trim().split('\n')).toEqual([
      expect.stringMatching(/^Warning: helpers\.mts: this file has no default export/),
      expect.stringMatching(/^Warning: hasty: deadlineMs is 5/),
    ]);
    expect(code).toBe(0);

    const gateway = plait(['start', '--compositions', folder], { ...nowhere, PORT: '0' });
    await gateway.ready;
    await expect
      .poll(() => gateway.errors().trim().split('\n'))
      .toEqual([
        expect.stringMatching(/ warn  helpers\.mts: this file has no default export/),
        expect.stringMatching(/ warn  hasty: deadlineMs is 5/),
      ]);
  });

  it('gives the whole name of a module that is imported without its ending', async () => {
    const folder = await folderWith({
      'helper.ts': 'export const value = 1;',
      'page.ts': `import { value } from './helper';\nexport default value;`,
    });
    const { errors } = await output(plait(['check', '--compositions', folder]));
    expect(errors).toMatch(/page: the file cannot be imported: .* Write the whole name: helper.ts/);
  });

  it('ends with 1, and checks nothing, with an option that it does not know', async () => {
    const { code, out, errors } = await output(plait(['check', '--envv']));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(errors.trim()).toBe(
      'plait check does not take --envv. It takes --compositions=<folder>, --env.',
    );
  });

  it.each(['check', 'dev'])(
    '%s says where it looked for a folder that is not there',
    async (name) => {
      const { code, errors } = await output(plait([name, '--compositions', 'nowhere']));
      expect(errors.trim()).toMatch(/^There is no folder nowhere\./);
      expect(code).toBe(1);
    },
  );

  it('ends although a composition has begun something that goes on', async () => {
    const folder = await folderWith({ 'busy.ts': `setInterval(() => 0, 1_000);${pong}` });
    const { code, out } = await output(plait(['check', '--compositions', folder]));
    expect(out).toMatch(/^GET \/ping {2}\(busy\)$/m);
    expect(code).toBe(0);
  });
});

describe('plait start', () => {
  it('prints `ready` and its URL when it accepts requests, and stops on SIGTERM with 0', async () => {
    const gateway = plait(['start'], { ...nowhere, PORT: '0' });
    const url = await gateway.ready;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await request(`${url}/readyz`)).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
    expect(gateway.errors()).toBe('');
  });

  it('prints the address of the management side before it says ready', async () => {
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

  it('moves its management side to a free port when the default one is taken', async () => {
    const other = createServer().listen(8081, '127.0.0.1');
    // Whatever has it already does as well.
    await once(other, 'listening').catch(() => undefined);
    onTestFinished(() => void other.close());
    const gateway = plait(['start'], { ...nowhere, PORT: '0', ADMIN_PORT: '' });
    expect((await request(`${await gateway.ready}/readyz`)).status).toBe(200);
    expect(adminPortOf(gateway)).toMatch(/^\d+$/);
    expect(adminPortOf(gateway)).not.toBe('8081');
    expect(gateway.errors()).toBe('');
  });

  it('starts beside others that start at the same time', async () => {
    const gateways = [1, 2, 3].map(() =>
      plait(['start'], { ...nowhere, PORT: '0', ADMIN_PORT: '' }),
    );
    await Promise.all(gateways.map(({ ready }) => ready));
    expect(new Set(gateways.map(adminPortOf)).size).toBe(3);
  });

  it('serves on when nobody reads its standard output any more', async () => {
    const folder = await folderWith({ 'talk.ts': talk });
    const port = String(await freePort());
    const gateway = spawn(process.execPath, ['bin/plait.js', 'start', '--compositions', folder], {
      env: { ...nowhere, PORT: port, ADMIN_PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void gateway.kill('SIGKILL'));
    for await (const text of gateway.stdout) if (String(text).includes('ready')) break;
    for (let times = 0; times < 3; times += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each prints a line
      expect((await request(`http://127.0.0.1:${port}/talk`)).json).toEqual({ said: 'hi' });
    }
  });

  it('names every address that is missing, once, and ends with 1', async () => {
    const { code, errors } = await output(plait(['start']));
    expect(errors.trim().split('\n')).toEqual([
      expect.stringMatching(/^ORDERS_URL, PAYMENTS_URL and SHIPPING_URL are not set\./),
    ]);
    expect(code).toBe(1);
  });

  it('refuses a PORT that is not a port number', async () => {
    const { code, errors } = await output(plait(['start'], { ...nowhere, PORT: '80 80' }));
    expect(errors).toContain('PORT is "80 80"');
    expect(code).toBe(1);
  });

  it.each([
    ['0', '0'],
    ['1.5', '1.01'],
    ['soon', 'half'],
  ])(
    'refuses %s as SHED_DELAY_MS and %s as SHED_UTILISATION, both at once',
    async (delay, utilisation) => {
      const { code, out, errors } = await output(
        plait(['start'], {
          ...nowhere,
          PORT: '0',
          SHED_DELAY_MS: delay,
          SHED_UTILISATION: utilisation,
        }),
      );
      const [first, second, ...more] = errors.trim().split('\n');
      expect(first).toContain(`SHED_DELAY_MS is "${delay}"`);
      expect(first).toContain('Use a whole number of milliseconds of at least 1.');
      expect(second).toContain(`SHED_UTILISATION is "${utilisation}"`);
      expect(second).toContain('Use a number above 0 and up to 1');
      expect([code, out, more]).toEqual([1, '', []]);
    },
  );

  it('takes SHED_DELAY_MS and SHED_UTILISATION, and starts when they are empty', async () => {
    for (const shed of [
      { SHED_DELAY_MS: '1', SHED_UTILISATION: '1' },
      { SHED_DELAY_MS: '', SHED_UTILISATION: '' },
    ]) {
      const gateway = plait(['start'], { ...nowhere, PORT: '0', ...shed });
      expect(await gateway.ready).toMatch(/^http:/);
    }
  });

  it('refuses a port that is taken', async () => {
    const first = await plait(['start'], { ...nowhere, PORT: '0' }).ready;
    const { code, errors } = await output(
      plait(['start'], { ...nowhere, PORT: new URL(first).port }),
    );
    expect(errors).toContain('EADDRINUSE');
    expect(code).toBe(1);
  });

  it('names ADMIN_PORT when that port is taken, or is not a port number', async () => {
    const first = plait(['start'], { ...nowhere, PORT: '0' });
    await first.ready;
    const taken = adminPortOf(first);
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

  it('refuses a REDIS_URL of another protocol, and starts when no Redis answers there', async () => {
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
    await expect.poll(gateway.errors).toContain('Redis cannot be used');
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
  });

  it('ends when its port is taken, also when it keeps trying to reach a Redis', async () => {
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

  it('ends when its port is taken, also when it checks the health of a service', async () => {
    const first = await plait(['start'], { ...nowhere, PORT: '0' }).ready;
    const folder = await folderWith({
      'checked.ts': `
        import { call, defineComposition, defineService, operation } from 'plait';
        import { z } from 'zod';
        const url = 'http://127.0.0.1:9';
        const shop = defineService({ name: 'shop', url, health: { path: '/livez' } });
        const get = operation(shop, { route: 'GET /', response: z.unknown() });
        export default defineComposition({
          route: 'GET /checked',
          compose: () => ({ part: call(get, {}) }),
        });`,
    });
    const { code, errors } = await output(
      plait(['start', '--compositions', folder], { ...nowhere, PORT: new URL(first).port }),
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

  it('serves the compositions that load when it is told to be tolerant', async () => {
    const folder = await folderWith(broken);
    const services = await runMocks();
    const gateway = plait(['start', '--tolerant', '--compositions', folder], {
      ...services,
      PORT: '0',
    });
    const { status } = await request(`${await gateway.ready}/orders/ord_1001/summary`);
    expect(status).toBe(200);
    await expect.poll(gateway.errors).toContain('Not served: broken-one');
  });

  it('leaves out compositions over a service without an address when it is tolerant', async () => {
    const key = "{ env: 'N2_URL' }, headers: { 'x-n2': { env: 'N2_KEY' } }";
    const folder = await folderWith({
      'no-address.ts': withoutAddress.replace("{ env: 'N2_URL' }", key),
    });
    const services = await runMocks();
    const gateway = plait(['start', '--tolerant', '--compositions', folder], {
      ...services,
      PORT: '0',
    });
    const url = await gateway.ready;
    expect((await request(`${url}/orders/ord_1001/summary`)).status).toBe(200);
    expect((await request(`${url}/customers/cus_1/orders`)).status).toBe(200);
    expect((await request(`${url}/nothing`)).status).toBe(503);
    await expect
      .poll(() => gateway.errors().match(/.* warn .*/g))
      .toEqual([
        expect.stringMatching(/Not served: no-address: N2_URL is not .* N2_KEY is not set/),
      ]);
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

describe('npm start', () => {
  it('ends with the gateway when npm is told to stop', async () => {
    const npm = runNpm(['start', '--', ...shipped], { ...nowhere, PORT: '0' });
    const url = await npm.ready;
    expect((await request(`${url}/readyz`)).status).toBe(200);
    npm.kill('SIGTERM');
    expect(await npm.exitCode).toBe(0);
    await expect(visit(url)).rejects.toThrow('ECONNREFUSED');
  });

  it('waits for the gateway after a Ctrl-C, which both of them hear', async () => {
    const npm = runNpm(['start', '--', ...shipped], {
      ...nowhere,
      PORT: '0',
      SHUTDOWN_DELAY_MS: '700',
    });
    await npm.ready;
    const toldAt = performance.now();
    npm.interrupt();
    expect(await npm.exitCode).toBe(0);
    expect(performance.now() - toldAt).toBeGreaterThan(650);
  });
});

describe('a gateway that is told to stop', () => {
  const delayMs = 1_500;

  it('answers new connections until its delay is over, and says that it is stopping', async () => {
    const gateway = plait(['start'], {
      ...(await runMocks()),
      PORT: '0',
      SHUTDOWN_DELAY_MS: String(delayMs),
    });
    const url = await gateway.ready;
    const clients = [1, 2, 3, 4, 5].map(() => visitUntilRefused(`${url}/orders/ord_1001/summary`));
    await sleep(200);
    expect(await visit(`${url}/readyz`)).toMatchObject({ status: 200, connection: 'keep-alive' });

    const toldAt = performance.now();
    gateway.kill('SIGTERM');
    await vi.waitFor(async () => {
      expect(await visit(`${url}/readyz`)).toMatchObject({ status: 503, connection: 'close' });
    });
    const drainsAt = performance.now();
    expect(await gateway.exitCode).toBe(0);
    expect(gateway.errors()).toBe('');

    const results = await Promise.all(clients);
    const visits = results.flatMap(({ visits: all }) => all);
    expect(new Set(visits.map(({ status }) => status))).toEqual(new Set([200]));
    const late = visits.filter(({ begunAt }) => begunAt > drainsAt);
    expect(late.length).toBeGreaterThan(0);
    expect(new Set(late.map(({ connection }) => connection))).toEqual(new Set(['close']));
    // Timers may be a little early.
    for (const { refusedAt } of results) expect(refusedAt - toldAt).toBeGreaterThan(delayMs - 50);
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
      expect(out).toContain(
        'batched by orderId, 100 keys and 7 KiB of request line a request (?orderIds=a,b)',
      );
      expect(out).toContain('attempt 2,000 ms');
      expect(code).toBe(0);
    },
  );

  it('prints JSON with --json', async () => {
    const { out } = await output(plait(['explain', 'customer-orders', '--json']));
    expect(JSON.parse(out)).toMatchObject({
      composition: 'customer-orders',
      roundTrips: 2,
      steps: [
        { name: 'listOrders', kind: 'call', needs: [] },
        {
          name: 'orders',
          kind: 'each',
          needs: ['listOrders'],
          steps: [{ name: 'orders.payment' }, {}],
        },
      ],
    });
  });

  it('prints a Mermaid flowchart with --mermaid', async () => {
    const { out } = await output(plait(['explain', 'order-tracking', '--mermaid']));
    expect(out).toContain('flowchart LR');
    expect(out).toContain('subgraph');
  });

  it('lists all compositions when it does not find the wanted one', async () => {
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
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    const url = await dev.ready;
    expect((await request(`${url}/orders/ord_1001/summary`)).status).toBe(200);
    await said(dev, (lines) =>
      lines.some((line) => line.includes(`curl ${url}/orders/ord_1001/summary`)),
    );
    expect(dev.lines.some((line) => line.includes('Traces'))).toBe(true);

    await writeFile(join(folder, 'pong.ts'), pong);
    await readyTimes(dev, 2);
    expect((await request(`${lastUrl(dev)}/ping`)).json).toEqual({ pong: true });
  });

  it('suggests addresses below BASE_PATH', async () => {
    const dev = plait(['dev', '--compositions', await folderWith({})], {
      BASE_PATH: '/api',
      PORT: '0',
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    const url = await dev.ready;
    await said(dev, (lines) => lines.some((line) => line.includes('Traces')));
    expect(dev.lines.join('\n')).toContain(`curl ${url}/api/orders/ord_1001/summary`);
  });

  it('suggests no composition that is not in the folder', async () => {
    const folder = await folderWith({});
    await rm(join(folder, 'order-summary.ts'));
    const dev = plait(['dev', '--compositions', folder], {
      PORT: '0',
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    await said(dev, (lines) => lines.some((line) => line.includes('Traces')));
    const guide = dev.lines.join('\n');
    expect(guide).toContain(`npx plait explain --compositions=${folder} shows every route`);
    expect(guide).not.toContain('summary');
  });

  it('goes on to serve a composition whose route a new file wants, and names both files', async () => {
    const folder = await folderWith({ 'pong.ts': pong });
    const dev = plait(['dev', '--compositions', folder], {
      PORT: '0',
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    await dev.ready;
    await mkdir(join(folder, 'more'));
    await writeFile(join(folder, 'more/new.mts'), pong.replace('pong: true', 'pong: false'));
    const words = /Not served: more\/new: .*more\/new\.mts.*pong\.ts.*This one is new/;
    await vi.waitFor(() => expect(dev.errors()).toMatch(words));
    await vi.waitFor(async () =>
      expect((await request(`${lastUrl(dev)}/ping`)).json).toEqual({ pong: true }),
    );
  });

  it.each([
    ['at load', loopAtLoad, async () => undefined],
    [
      'in a request',
      loopInRequest,
      async (dev: Program) => {
        await readyTimes(dev, 2);
        void fetch(`${lastUrl(dev)}/loop`).catch(() => undefined);
      },
    ],
  ])('ends a gateway that loops for ever %s when a file changes', async (_, loop, begin) => {
    const folder = await folderWith({});
    const dev = plait(['dev', '--compositions', folder], {
      PORT: '0',
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    await dev.ready;
    await writeFile(join(folder, 'loop.ts'), loop);
    await begin(dev);
    await said(dev, (lines) => lines.includes('looping'));
    const already = dev.lines.filter(isReady).length;

    const changedAt = performance.now();
    await writeFile(join(folder, 'loop.ts'), pong);
    await readyTimes(dev, already + 1);
    expect(performance.now() - changedAt).toBeLessThan(15_000);
    expect((await request(`${lastUrl(dev)}/ping`)).json).toEqual({ pong: true });
  });

  it('leaves no gateway behind that loops for ever when it is told twice to stop', async () => {
    const folder = await folderWith({ 'loop.ts': loopInRequest });
    const dev = plait(['dev', '--compositions', folder], {
      PORT: '0',
      MOCKS_BASE_PORT: String(await freePorts(3)),
    });
    void fetch(`${await dev.ready}/loop`).catch(() => undefined);
    await said(dev, (lines) => lines.includes('looping'));
    dev.kill('SIGINT');
    await sleep(700);
    dev.kill('SIGINT');
    expect(await dev.exitCode).toBe(1);
  });
});

const talk = `
  import { defineComposition, map } from 'plait';
  import { z } from 'zod';
  export default defineComposition({
    route: 'GET /talk',
    query: z.object({ word: z.string().default('hi') }),
    compose: ({ query }) => ({
      said: map(query.word, (word) => { console.log(word); return word; }),
    }),
  });`;

const pong = `
  import { defineComposition } from 'plait';
  export default defineComposition({ route: 'GET /ping', compose: () => ({ pong: true }) });`;

const loopAtLoad = `
  console.log('looping');
  while (true) {}
  export default {};`;

const loopInRequest = `
  import { call, defineComposition, map } from 'plait';
  import { getCustomer } from './upstreams/orders.ts';
  export default defineComposition({
    route: 'GET /loop',
    compose: () => ({
      never: map(call(getCustomer, { customerId: 'cus_1' }), () => {
        console.log('looping');
        while (true) {}
      }),
    }),
  });`;

async function said(
  program: Program,
  isThere: (lines: readonly string[]) => boolean,
): Promise<readonly string[]> {
  while (!isThere(program.lines)) await new Promise((resolve) => setTimeout(resolve, 20));
  return program.lines;
}

async function readyTimes(program: Program, count: number): Promise<void> {
  await said(program, (lines) => lines.filter(isReady).length >= count);
}

function lastUrl({ lines }: Program): string | undefined {
  return lines.findLast(isReady)?.slice('ready '.length);
}

function isReady(line: string): boolean {
  return line.startsWith('ready ');
}

function adminPortOf(program: Program): string {
  return new URL(adminOf(program)).port;
}

interface Visit {
  readonly begunAt: number;
  readonly status: number | undefined;
  readonly connection: string | undefined;
}

/** One request on a connection of its own, by a client that would keep it. */
async function visit(url: string): Promise<Visit> {
  const begunAt = performance.now();
  const asked = get(url, { agent: false, headers: { connection: 'keep-alive' } });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await response.toArray();
  return { begunAt, status: response.statusCode, connection: response.headers.connection };
}

async function visitUntilRefused(url: string) {
  const visits: Visit[] = [];
  try {
    for (;;) {
      visits.push(await visit(url));
      await sleep(5);
    }
  } catch {
    return { visits, refusedAt: performance.now() };
  }
}
