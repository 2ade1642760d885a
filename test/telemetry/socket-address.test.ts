/** The address of a service on a unix socket, in traces and metrics. */
import { call, defineComposition, defineService, operation } from 'plait';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createGateway } from '../../src/gateway.ts';
import { compileAll } from '../../src/plan/compile.ts';
import { startServer } from '../support/servers.ts';
import { clientTrace, only, startTraced } from './_traced.ts';

const traced = await startTraced();

it('is the path of the socket, without a port', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plait-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'shop.sock');
  const { url } = await startServer(undefined, path);
  const shop = defineService({ name: 'shop', url });
  const read = operation(shop, { name: 'read', route: 'GET /things', response: z.null() });
  const composition = defineComposition({
    route: 'GET /read',
    compose: () => ({ a: call(read, {}) }),
  });
  const { plans } = compileAll([{ name: 'read', composition }]);
  const { telemetry } = traced;
  const addresses = new Map([['shop', [new URL(url)]]]);
  await using gateway = createGateway({ plans, addresses, telemetry });
  const { traceId, headers } = clientTrace();
  await gateway.app.request('/read', { headers }, { peer: '127.0.0.1' });
  const spans = await traced.expectTrace(traceId)`
    SERVER GET /read  status=200
      INTERNAL step a
        CLIENT GET /things  status=200
  `;
  const { attributes } = only(spans, 'GET /things');
  expect(attributes).toMatchObject({ 'server.address': path });
  expect(attributes).not.toHaveProperty(['server.port']);
  // A label without a value is none to Prometheus, but an attribute to a collector.
  const metrics = await telemetry.metrics?.();
  expect(metrics).toContain('http_client_request_duration_seconds_count');
  expect(metrics).not.toContain('server_port');
});
