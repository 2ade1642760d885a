/**
 * The promise of the types, kept end to end: a field that an upstream renames breaks the build
 * where it is used.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { change, copyOfProject, typeCheck } from '../support/project-copy.ts';

describe('the compiler', () => {
  it('accepts the compositions as they are', async () => {
    const { code, output } = await typeCheck(await copyOfProject());
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('names every composition that uses a field after the upstream renamed it', async () => {
    const folder = await copyOfProject();
    const upstream = join(folder, 'compositions/upstreams/orders.ts');
    await change(upstream, '  total: z.number(),', '  totalAmount: z.number(),');

    const { code, output } = await typeCheck(folder);
    expect(code).not.toBe(0);
    expect(output).toMatch(/^compositions\/order-summary\.ts.*"total"/m);
    expect(output).toMatch(/^compositions\/customer-orders\.ts.*"total"/m);
    expect(output).not.toMatch(/^(?:src|compositions\/order-tracking)/m);
  });
});
