import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { adminOf, run, runMocks, shipped } from '../support/processes.ts';

async function startGateway(environment: Record<string, string> = {}) {
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    PORT: '0',
    HOST: '127.0.0.1',
    SHUTDOWN_DELAY_MS: '0',
    LOG_LEVEL: 'error',
    ...environment,
  });
  const url = await gateway.ready;
  const ask = async (path: string, traceId?: string): Promise<void> => {
    const headers = traceId && { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await fetch(url + path, { headers: headers || {} }).then((response) => response.text());
  };
  return { ...gateway, ask, url, admin: adminOf(gateway) };
}

async function trace(admin: string, ...args: string[]) {
  const program = run('bin/plait.js', ['trace', ...args, '--admin', admin], {});
  const code = await program.exitCode;
  return { code, lines: program.lines, errors: program.errors().trim() };
}

const first = '0af7651916cd43dd8448eb211c80319c';
const second = '0af7651916cd43dd8448eb211c803000';
const third = '12345678901234567890123456789012';

async function startAsked() {
  const gateway = await startGateway();
  await gateway.ask('/orders/ord_1001/summary', first);
  await gateway.ask('/orders/none/summary', second);
  await gateway.ask('/customers/cus_1/orders', third);
  return gateway;
}

describe('plait trace', () => {
  it('lists the latest traces, the latest last, where a terminal ends', async () => {
    const { admin } = await startAsked();
    const { code, lines, errors } = await trace(admin);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(lines.map((line) => line.replace(/ +\d+\.\d+ ms/, ''))).toEqual([
      `${first}  200  GET /orders/{orderId}/summary`,
      `${second}  404  GET /orders/{orderId}/summary`,
      `${third}  200  GET /customers/{customerId}/orders`,
    ]);
  });

  it('says when there are no traces', async () => {
    const { admin } = await startGateway();
    expect(await trace(admin)).toEqual({
      code: 0,
      lines: ['There is no trace yet. Ask the gateway for something first.'],
      errors: '',
    });
  });

  it('draws the trace whose id begins with the text', async () => {
    const { admin } = await startAsked();
    for (const wanted of [first, '0AF7651916CD43DD8448EB211C8031']) {
      const { code, lines } = await trace(admin, wanted);
      expect(code).toBe(0);
      expect(lines[0]).toBe(`trace ${first}`);
      expect(lines.slice(1).map((line) => line.split(/ {2}[ █]{40}/u)[0]?.trimEnd())).toEqual([
        'GET /orders/{orderId}/summary',
        '  step order',
        '    GET /orders/{orderId}',
        '  step payment',
        '    GET /payments',
        '  step shipment',
        '    GET /shipments/latest',
      ]);
    }
    // A number, to whom it looks like one.
    expect((await trace(admin, '1234567890')).lines[0]).toBe(`trace ${third}`);
  });

  it('lists with --follow what there is and what comes, also of a gateway that starts again', async () => {
    const port = String(await freePort());
    const gateway = await startGateway({ ADMIN_PORT: port });
    await gateway.ask('/orders/ord_1001/summary', first);
    const args = ['trace', '--follow', '--admin', gateway.admin];
    const follower = run('bin/plait.js', args, {});
    const ids = () => follower.lines.map((line) => line.split(' ')[0]);
    await expect.poll(ids).toEqual([first]);
    await gateway.ask('/orders/none/summary', second);
    await expect.poll(ids).toEqual([first, second]);
    gateway.kill();
    await gateway.exitCode;
    const next = await startGateway({ ADMIN_PORT: port });
    await next.ask('/customers/cus_1/orders', third);
    await expect.poll(ids).toEqual([first, second, third]);
  });

  it('ends with --follow when nobody reads any more', async () => {
    const { admin, ask } = await startGateway();
    await ask('/orders/ord_1001/summary');
    const piped = spawn(
      'sh',
      ['-c', `"${process.execPath}" bin/plait.js trace --follow --admin ${admin} | head -1`],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    onTestFinished(() => void piped.kill());
    const ended = Promise.all([text(piped.stdout), text(piped.stderr), once(piped, 'close')]);
    await once(piped.stdout, 'data');
    // The line of another request finds that out.
    await ask('/orders/none/summary');
    const [, errors, [code]] = await ended;
    expect([errors, code]).toEqual(['', 0]);
  });

  it('refuses --follow together with an id', async () => {
    expect(await trace('http://127.0.0.1:9', 'abc', '--follow')).toMatchObject({
      code: 1,
      errors: '--follow lists the traces that come. Leave the id out.',
    });
  });

  it('prints JSON with --json', async () => {
    const { admin } = await startAsked();
    const all = await trace(admin, '--json');
    const traces = JSON.parse(all.lines.join('\n'));
    expect(traces.map(({ traceId }: { traceId: string }) => traceId)).toEqual([
      third,
      second,
      first,
    ]);
    const one = await trace(admin, '1234', '--json');
    expect(JSON.parse(one.lines.join('\n'))).toEqual(traces[0]);
  });

  it('prints an empty list as JSON when there are no traces', async () => {
    const { admin } = await startGateway();
    const { lines } = await trace(admin, '--json');
    expect(lines).toEqual(['[]']);
  });

  it('refuses a text with which no id begins, or several do', async () => {
    const { admin } = await startAsked();
    for (const [wanted, count] of [
      ['ffff', 'No'],
      ['319c', 'No'],
      ['0af7', '2'],
    ] as const) {
      const errors = `${count} kept traces begin with "${wanted}". \`plait trace\` lists the latest 3.`;
      expect(await trace(admin, wanted)).toEqual({ code: 1, lines: [], errors });
    }
  });

  it('says when no gateway listens at the address', async () => {
    const { code, errors } = await trace('http://127.0.0.1:9');
    expect(errors).toMatch(
      /^No gateway answers at http:\/\/127\.0\.0\.1:9\/traces\. Start one with/,
    );
    expect(errors).toContain('--admin');
    expect(code).toBe(1);
  });

  it.each([
    { NODE_ENV: 'production' },
    { OTEL_SDK_DISABLED: 'true' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  ])('says when a gateway keeps no traces, with %j', async (environment) => {
    const { admin } = await startGateway(environment);
    const { code, errors } = await trace(admin);
    expect(errors).toBe(
      `The gateway at ${admin}/traces keeps no traces: it sends them to a collector, ` +
        'runs in production, or has OTEL_SDK_DISABLED set. ' +
        'Or that is not its management side: name it with --admin.',
    );
    expect(code).toBe(1);
  });
});
