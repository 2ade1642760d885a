/** A request whose work a service only accepts (202), which its composition does not look at. */
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import { defineService } from '../../src/dsl/service.ts';
import { call } from '../../src/dsl/steps.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

/** Asks for it once, and waits for the answer. */
export async function askForAcceptedWork(telemetry: Telemetry): Promise<void> {
  const { url } = await startServer((_, response) => {
    response.writeHead(202, { location: '/jobs/1' }).end('null');
  });
  const jobs = defineService({ name: 'jobs', url: { env: 'JOBS_URL' } });
  const post = operation(jobs, { name: 'post', route: 'POST /jobs', response: z.null() });
  const accepted = defineComposition({ route: 'POST /accepted', compose: () => call(post, {}) });
  const environment = { JOBS_URL: url };
  const app = await startWithMocks({ compositions: { accepted }, telemetry, environment });
  await app.get('/accepted', { method: 'POST' });
}
