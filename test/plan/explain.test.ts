import {
  call,
  defineComposition,
  defineService,
  each,
  given,
  lookup,
  map,
  operation,
  optional,
  pick,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Composition } from '../../src/dsl/composition.ts';
import { compile } from '../../src/plan/compile.ts';
import { drawMermaid } from '../../src/plan/draw-mermaid.ts';
import { drawTree } from '../../src/plan/draw-tree.ts';
import { explain } from '../../src/plan/explain.ts';

const things = defineService({
  name: 'things',
  url: 'http://things',
  timeoutMs: 700,
  forward: ['accept-language'],
});
const Thing = z.object({ id: z.string(), next: z.string(), parts: z.array(z.string()) });
const get = operation(things, { name: 'get', route: 'GET /things/:id', response: Thing });
const part = lookup(things, {
  name: 'part',
  route: 'POST /parts',
  keys: { body: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  max: 20,
});

const diamond = defineComposition({
  route: 'GET /diamond/:id',
  compose({ params }) {
    const top = call(get, { id: params.id });
    const left = call(get, { id: top.next });
    const right = optional(call(get, { id: top.id }));
    const bottom = map(
      { left, right },
      ({ left: one, right: other }) => one.id + (other?.id ?? ''),
    );
    return { top: pick(top, 'id'), left, right, bottom };
  },
});

const nested = defineComposition({
  route: 'GET /nested/:id',
  deadlineMs: 500,
  degraded: 'fail',
  compose({ params }) {
    const thing = call(get, { id: params.id });
    return {
      parts: each(
        thing.parts,
        (id) => ({ part: call(part, { id }), of: call(get, { id: thing.next }) }),
        { max: 7 },
      ),
      maybe: given(thing.next, (id) => call(get, { id })),
    };
  },
});

const cached = operation(things, {
  name: 'cached',
  route: 'GET /cached/:id',
  response: Thing,
  coalesce: false,
  cache: { ttlMs: 30_000, staleIfErrorMs: 5_000, negativeTtlMs: 1_000, tags: ['things', 'all'] },
});
const gathered = lookup(things, {
  name: 'gathered',
  route: 'GET /gathered',
  keys: { query: 'ids' },
  by: 'id',
  item: z.object({ id: z.string() }),
  windowMs: 5,
});

const keeping = defineComposition({
  route: 'GET /keeping/:id',
  cache: { maxAge: 60, sMaxAge: 3_600, staleWhileRevalidate: 30 },
  compose: ({ params }) => ({
    cached: call(cached, { id: params.id }),
    gathered: call(gathered, { id: params.id }),
  }),
});

function explained(composition: Composition) {
  return explain(compile({ name: 'it', composition }));
}

describe('explain', () => {
  it('counts the calls in the longest chain, not all calls', () => {
    expect(explained(diamond).roundTrips).toBe(2);
    expect(explained(nested).roundTrips).toBe(2);
  });

  it('says what waits for what, through pick and optional', () => {
    const waits = Object.fromEntries(
      explained(diamond).steps.map(({ name, waitsFor }) => [name, waitsFor]),
    );
    expect(waits).toEqual({ top: [], left: ['top'], right: ['top'], bottom: ['left', 'right'] });
  });

  it('gives the values in effect: an attempt cannot take longer than the request', () => {
    const [thing] = explained(nested).steps;
    expect(thing?.call).toMatchObject({ timeoutMs: 500, forward: ['accept-language'] });
    expect(explained(diamond).steps[0]?.call).toMatchObject({ timeoutMs: 700 });
  });
});

describe('explain and caches', () => {
  it('says what is kept of the response, of answers, and what is shared', () => {
    const { cache, steps } = explained(keeping);
    expect(cache).toEqual({
      visibility: 'public',
      maxAge: 60,
      sMaxAge: 3_600,
      staleWhileRevalidate: 30,
      vary: ['accept-language'],
    });
    const [one, other] = steps.map((step) => step.call);
    expect(one).toMatchObject({
      coalesce: false,
      cache: {
        ttlMs: 30_000,
        staleWhileRevalidateMs: 0,
        staleIfErrorMs: 5_000,
        negativeTtlMs: 1_000,
        tags: ['things', 'all'],
        ignoreMaxAge: false,
      },
    });
    expect(other).toMatchObject({ coalesce: true, batch: { windowMs: 5 } });
  });

  it('says nothing of what is not kept', () => {
    expect(explained(diamond)).not.toHaveProperty('cache');
    expect(explained(diamond).steps[0]?.call).not.toHaveProperty('cache');
    expect(drawTree(explained(diamond))).not.toMatch(/cache|shared/);
  });

  it('draws it into the tree', () => {
    const lines = drawTree(explained(keeping)).split('\n');
    expect(lines[2]).toBe(
      'cache public, 60 s · shared caches 3,600 s · stale while revalidating 30 s · varies by accept-language',
    );
    expect(lines.map((line) => line.replace(/^[│└├─ ]+/, ''))).toEqual(
      expect.arrayContaining([
        'GET /cached/:id · not shared with other requests',
        'cache 30,000 ms · stale if error 5,000 ms · nothing found 1,000 ms · tags things, all',
        'GET /gathered · batched by id, 100 keys a request (?ids=a,b) · waits 5 ms for more',
      ]),
    );
  });
});

describe('the tree', () => {
  it('draws a step below the one it waits for, and names the others', () => {
    const lines = drawTree(explained(diamond))
      .split('\n')
      .filter((line) => /^[│├└ ]/.test(line));
    expect(
      lines.filter((line) => line.includes(': ')).map((line) => line.replace(/ · .*/, '')),
    ).toEqual([
      '└─ top: call things.get',
      '   ├─ left: call things.get',
      '   └─ right: call things.get',
      '      └─ bottom: map',
    ]);
    expect(lines.at(-1)).toContain('waits for left too');
  });

  it('draws what runs per item inside, with its batch', () => {
    const text = drawTree(explained(nested));
    expect(text).toContain('never degraded');
    expect(text).toContain('parts: each item, at most 7');
    expect(text).toContain('batched by id, 20 keys a request ({"ids":["a","b"]})');
    expect(text).toContain('maybe: given, when present');
  });
});

describe('the flowchart', () => {
  it('has an arrow for every wait, dotted where a failure is tolerated', () => {
    const lines = drawMermaid(explained(diamond))
      .split('\n')
      .map((line) => line.trim());
    expect(lines).toEqual(
      expect.arrayContaining([
        'request --> s0',
        's0 --> s1',
        's0 -.-> s2',
        's1 --> s3',
        's2 --> s3',
      ]),
    );
  });
});
