/** The package in a folder of its own, without the development tools of the project. */
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/processes.ts';
import { typeCheck } from '../support/project-copy.ts';
import { startServer } from '../support/servers.ts';
import { install, packed } from './_package.ts';

const files = {
  'package.json': '{ "type": "module" }',
  'compositions/order.ts': `
    import { call, defineComposition, defineService, operation } from 'plait';
    import { z } from 'zod';

    const orders = defineService({ name: 'orders', url: { env: 'ORDERS_URL' } });
    const getOrder = operation(orders, {
      route: 'GET /orders/:orderId',
      response: z.object({ id: z.string() }),
    });

    export default defineComposition({
      route: 'GET /orders/:orderId/summary',
      compose: ({ params }) => ({ order: call(getOrder, { orderId: params.orderId }) }),
    });`,
  'embedded.ts': `
    import { createGateway, listen, loadCompositions } from 'plait/server';
    import { openParts, parseSettings, servicesOf } from 'plait/server';
    import type { Gateway, Listening } from 'plait/server';

    const { plans } = await loadCompositions('compositions');
    const settings = parseSettings(process.env, servicesOf(plans));
    const parts = await openParts(settings);
    const gateway: Gateway = createGateway({ plans, ...parts });
    const response = await gateway.app.request('/orders/7/summary');
    console.log(response.status, await response.text());
    const listening: Listening = await listen(gateway, { host: '127.0.0.1', port: 0 });
    const { status } = await fetch(\`\${listening.url}/readyz\`);
    console.log(status);
    await listening.close();
    await parts.log.close();`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'ES2024',
      // Hono's own types need those of browsers.
      lib: ['ES2025', 'ESNext.Disposable', 'DOM'],
      types: ['node'],
      module: 'NodeNext',
      strict: true,
      noEmit: true,
    },
    include: ['*.ts', 'compositions'],
  }),
};

const plait = 'node_modules/plait/bin/plait.js';

describe('the package', () => {
  let made: Awaited<ReturnType<typeof packed>>;
  let folder: string;
  beforeAll(async () => {
    made = await packed();
    folder = await install(made.tarball, files);
  });

  it('has what was built, and neither sources nor tests', () => {
    const folders = made.files.map((file) => file.split('/').slice(1, -1)[0] ?? '.');
    expect([...new Set(folders)].toSorted()).toEqual(['.', 'bin', 'dist']);
    const kinds = made.files.map((file) => /(?:\.d)?\.\w+$/.exec(file)?.[0]);
    expect(new Set(kinds.filter((kind) => kind?.endsWith('ts')))).toEqual(new Set(['.d.ts']));
    expect(made.files).toEqual(expect.arrayContaining(['package/README.md', 'package/LICENSE']));
  });

  it('leaves the package.json of the repository as it was', () => {
    expect(made.manifest.after).toBe(made.manifest.before);
  });

  it('checks a composition', async () => {
    const check = run(plait, ['check'], {}, { cwd: folder });
    expect(await check.exitCode, check.errors()).toBe(0);
    expect(check.lines).toEqual([
      'GET /orders/:orderId/summary  (order)',
      '1 composition, no errors',
    ]);
  });

  it('starts a gateway', async () => {
    const { url } = await startServer((_, response) => void response.end('{"id":"7"}'));
    const gateway = run(plait, ['start'], { PORT: '0', ORDERS_URL: url }, { cwd: folder });
    const response = await fetch(`${await gateway.ready}/orders/7/summary`);
    expect(await response.json()).toEqual({ order: { id: '7' } });
    gateway.kill('SIGTERM');
    expect(await gateway.exitCode).toBe(0);
    expect(gateway.errors()).toBe('');
  });

  it('starts a gateway again when a composition changes, in development', async () => {
    const { url } = await startServer((_, response) => void response.end('{"id":"7"}'));
    const dev = run(plait, ['dev'], { PORT: '0', ORDERS_URL: url }, { cwd: folder });
    const response = await fetch(`${await dev.ready}/orders/7/summary`);
    expect(response.status).toBe(200);
    dev.kill('SIGTERM');
    expect(await dev.exitCode).toBe(0);
  });

  it('can be embedded', async () => {
    const { url } = await startServer((_, response) => void response.end('{"id":"7"}'));
    const program = run('embedded.ts', [], { ORDERS_URL: url }, { cwd: folder });
    expect(await program.exitCode, program.errors()).toBe(0);
    expect(program.lines).toEqual(['200 {"order":{"id":"7"}}', '200']);
  });

  it('has types that a strict project can be checked with', async () => {
    expect(await typeCheck(folder)).toEqual({ code: 0, output: '' });
  });
});
