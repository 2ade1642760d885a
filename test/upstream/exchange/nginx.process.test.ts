/** Path parameters against a real nginx, which decodes and normalises before it hands on. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { isNginxSkipped, startNginx } from '../../support/nginx.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { openShop } from '../../support/upstream-calls.ts';

const pieces = [
  '..',
  '.',
  '/',
  '\\',
  ';',
  '%',
  '%2e',
  '%2f',
  '%5c',
  '%25',
  '%252e',
  '%252f',
  '%c0%ae',
  '%u002f',
  'internal',
  'a',
  'ä',
  '?',
  '#',
  ' ',
];
const hostile = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 7 })
  .map((parts) => parts.join(''));

describe.skipIf(isNginxSkipped).each([true, false])(
  'behind an nginx with merge_slashes: %s',
  { timeout: 120_000 },
  (mergeSlashes) => {
    it('keeps every parameter from changing the path around it, behind nginx', async () => {
      const service = await startServer();
      const nginx = await startNginx({ upstream: service.url, mergeSlashes });
      const { service: shop, open } = openShop({ url: nginx });
      const summary = operation(shop, {
        route: 'GET /public/orders/:orderId/summary',
        response: z.null(),
      });
      let reached = 0;
      await assertProperty(
        fc.asyncProperty(hostile, async (orderId) => {
          const before = service.requests.length;
          // Refused by us, or, as malformed, by nginx: not what this is about.
          await Promise.allSettled([open()(summary, { orderId }, undefined)]);
          for (const { target } of service.requests.slice(before)) {
            reached += 1;
            expect(target).toMatch(/^\/public\/orders\/[^/]+\/summary$/);
          }
        }),
        { full: 1_000 },
      );
      expect(reached).toBeGreaterThan(10);
    });

    it('keeps a slash that an operation allows within its parameter, behind nginx', async () => {
      const service = await startServer();
      const nginx = await startNginx({ upstream: service.url, mergeSlashes });
      const { service: registry, open } = openShop({ url: nginx });
      const packageOf = operation(registry, {
        name: 'packageOf',
        route: 'GET /public/packages/:name',
        slash: ['name'],
        response: z.null(),
      });
      const fileOf = operation(registry, {
        name: 'fileOf',
        route: 'GET /public/files/:path+',
        response: z.null(),
      });
      await open()(packageOf, { name: '@scope/name' }, undefined);
      await open()(fileOf, { path: 'a b/c.txt' }, undefined);
      // With a path in proxy_pass, nginx hands on what it has decoded.
      expect(service.requests.map(({ target }) => decodeURIComponent(target)).slice(-2)).toEqual([
        '/public/packages/@scope/name',
        '/public/files/a b/c.txt',
      ]);
      await assertProperty(
        fc.asyncProperty(hostile, async (text) => {
          const before = service.requests.length;
          await Promise.allSettled([
            open()(packageOf, { name: text }, undefined),
            open()(fileOf, { path: text }, undefined),
          ]);
          for (const { target } of service.requests.slice(before))
            expect(target).toMatch(/^\/public\/(?:packages|files)\/./);
        }),
        { full: 1_000 },
      );
    });
  },
);
