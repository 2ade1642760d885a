/** A service to write compositions against, and the load-time errors of compositions. */
import { defineComposition, defineService, lookup, operation } from 'plait';
import type { Composition } from 'plait';
import { z } from 'zod';
import type { Inputs } from '../../src/dsl/composition.ts';
import { CompositionError } from '../../src/errors.ts';
import { compile } from '../../src/plan/compile.ts';

export const things = defineService({ name: 'things', url: 'http://things' });

const Thing = z.object({
  id: z.string(),
  note: z.string().nullable(),
  count: z.int().optional(),
  owner: z.object({ name: z.string() }).nullable(),
  tags: z.array(z.object({ label: z.string() })),
});

export const getThing = operation(things, {
  name: 'getThing',
  route: 'GET /things/:id',
  query: z.object({ limit: z.number().optional() }),
  response: Thing,
});

export const createThing = operation(things, {
  name: 'createThing',
  route: 'POST /things',
  body: z.object({ name: z.string() }),
  response: z.object({ id: z.string() }),
});

export const thingOf = lookup(things, {
  name: 'thingOf',
  route: 'GET /things',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
});

type PageInputs = Inputs<
  { id: string },
  { limit?: number | undefined },
  undefined,
  { tag: string }
>;

/** A composition of which only `compose` matters. */
export function page<W>(compose: (inputs: PageInputs) => W): Composition {
  return defineComposition({
    route: 'GET /pages/:id',
    query: z.object({ limit: z.coerce.number().optional() }),
    headers: z.object({ tag: z.string() }),
    compose,
  });
}

/** The load-time error of a composition in the file `page`. */
export function loadErrorOf(composition: Composition): string {
  return messageOf(() => compile({ name: 'page', composition }));
}

/** The message of the CompositionError that `run` throws; it must throw one. */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CompositionError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}
