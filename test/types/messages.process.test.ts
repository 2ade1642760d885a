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

export default defineComposition({
  route: 'GET /x/:id',
  params: z.object({ id: z.string(), page: z.string() }),
  compose: ({ params }) => ({ later: map(params.id, async (id) => id) }),
});
`;

describe('the compiler', () => {
  it('says in a sentence what is wrong with an option', async () => {
    const folder = await copyOfProject();
    await writeFile(join(folder, 'compositions/mistakes.ts'), mistakes);
    const { output } = await typeCheck(folder);
    for (const sentence of [
      'the item has no field \\"orderId\\"',
      '\\"page\\" is not a parameter of GET /x/:id: add \\":page\\" there, or remove it here',
      'map() takes a synchronous function; use call() for I/O',
    ]) {
      expect(output).toContain(sentence);
    }
  });
});
