/** Where a type cannot say what is wrong, the compiler shows a sentence that does. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyOfProject, typeCheck } from '../support/project-copy.ts';

const mistakes = `
import { defineComposition, defineService, lookup, map } from 'plait';
import { z } from 'zod';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' } });
const item = z.object({ id: z.string(), name: z.string() });

export const of = lookup(shop, { route: 'GET /x', keys: { query: 'ids' }, by: 'orderId', item });

export const of2 = lookup(shop, {
  route: 'GET /y', keys: { query: 'ids', join: ':' }, by: ['id', 'shop.uid'], item,
});

export default defineComposition({
  route: 'GET /x/:id',
  params: z.object({ id: z.string(), page: z.string() }),
  compose: ({ params }) => ({
    later: map(params.id, async (id) => id),
    set: map(params.id, (id) => new Set([id])),
    nothing: map(params.id, () => undefined),
    method: map(params.id, (id) => ({ id, text: () => id })),
  }),
});
`;

describe('the compiler', () => {
  it('says in a sentence what is wrong with an option', async () => {
    const folder = await copyOfProject();
    await writeFile(join(folder, 'compositions/mistakes.ts'), mistakes);
    const { output } = await typeCheck(folder);
    for (const sentence of [
      'the item has no field \\"orderId\\"',
      'the item has no field \\"shop.uid\\"',
      '\\"page\\" is not a parameter of GET /x/:id: add \\":page\\" there, or remove it here',
      'map() takes a synchronous function; use call() for I/O',
      'JSON cannot carry this object: return a list, or an object of plain fields',
      'JSON has no undefined here: return null instead',
      'JSON cannot carry a function or a symbol: return data',
    ]) {
      expect(output).toContain(sentence);
    }
  });
});
