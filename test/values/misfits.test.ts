/** Bodies that do not fit: the work on them is bounded, whatever is in them. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../src/dsl/composition.ts';
import { parseJson } from '../../src/json.ts';
import { parseJsonBy } from '../../src/parse.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const mebibyte = 1024 * 1024;

/** The largest body of a client, as a list of so many of these. */
function listOf(item: string): string {
  const count = Math.floor((mebibyte - 2) / (item.length + 1));
  return `[${Array<string>(count).fill(item).join(',')}]`;
}

function recordOf(value: string): string {
  return `{${Array.from({ length: 80_000 }, (_, index) => `"k${index}":${value}`).join(',')}}`;
}

const Tree: z.ZodType = z.lazy(() => z.union([z.string(), z.array(Tree)]));

const bodies: [string, z.ZodType, string][] = [
  [
    'a union',
    z.array(z.union([z.object({ a: z.string() }), z.string(), z.array(z.number())])),
    listOf('0'),
  ],
  ['texts', z.array(z.string()), listOf('0')],
  ['objects', z.array(z.object({ a: z.string(), b: z.number() })), listOf('{}')],
  ['small numbers', z.array(z.number().min(5)), listOf('0')],
  ['refined texts', z.array(z.string().refine(() => true)), listOf('0')],
  ['refused numbers', z.array(z.number().refine(() => false)), listOf('0')],
  ['preprocessed texts', z.array(z.preprocess((value) => value, z.string())), listOf('0')],
  ['a rest', z.tuple([z.number()], z.string()), listOf('0')],
  ['a record', z.record(z.string(), z.number()), recordOf('""')],
  ['a record of short keys', z.record(z.string().max(1), z.number()), recordOf('1')],
  ['a strict object', z.strictObject({ a: z.string().optional() }), recordOf('1')],
  ['strict objects', z.array(z.strictObject({})), listOf('{"a":1}')],
  ['itself', Tree, listOf('[0]')],
  ['bigints or objects', z.array(z.union([z.bigint(), z.object({ a: z.bigint() })])), listOf('""')],
  ['numbers, which are too long', z.array(z.number()), listOf('12345678901234567890')],
  ['numbers, which are too large', z.array(z.number()), listOf('1e400')],
  [
    'kinds',
    z.array(z.discriminatedUnion('k', [z.object({ k: z.literal('a'), v: z.number() })])),
    listOf('{"k":"a"}'),
  ],
];

const record = z.record(z.string(), z.number());

const intersections: typeof bodies = [
  ['records', z.intersection(record, record), recordOf('""')],
  [
    'strict objects',
    z.intersection(z.strictObject({ a: z.unknown() }), z.strictObject({ b: z.unknown() })),
    recordOf('1'),
  ],
];

describe('an intersection of large values', () => {
  // Each took 4 to 14 s.
  it.each(intersections)('%s that do not fit take little time', (_, schema, json) => {
    expect(cpuMsOf(() => parsed(schema, json))).toBeLessThan(3_000);
    expect(parsed(schema, json)).not.toMatchObject({ ok: true });
  });

  it('takes little time if they fit', () => {
    const fitting = recordOf('1');
    const schema = z.intersection(record, z.looseObject({}));
    expect(cpuMsOf(() => parsed(schema, fitting))).toBeLessThan(3_000);
    expect(parsed(schema, fitting)).toEqual({ ok: true, value: JSON.parse(fitting) });
  });
});

/** Numbers that are all refused, and how many were asked about. */
function counting(): [{ calls: number }, z.ZodType] {
  const count = { calls: 0 };
  const refuse = () => {
    count.calls += 1;
    return false;
  };
  return [count, z.number().refine(refuse)];
}

describe('the work on a body that does not fit', () => {
  it.each<[string, (item: z.ZodType) => z.ZodType, string]>([
    ['a list', (item) => z.array(item), listOf('0')],
    ['a rest', (item) => z.tuple([z.number()], item), listOf('0')],
    ['a record', (item) => z.record(z.string(), item), recordOf('1')],
    ['a catch-all', (item) => z.object({}).catchall(item), recordOf('1')],
    ['an optional record', (item) => z.record(z.string(), item).optional(), recordOf('1')],
    [
      'an intersection',
      (item) => z.intersection(record, z.record(z.string(), item)),
      recordOf('1'),
    ],
    [
      'a set',
      (item) =>
        z
          .array(z.number())
          .transform((list): Set<unknown> => new Set(list.keys()))
          .pipe(z.set(item)),
      listOf('0'),
    ],
  ])('asks a refinement of the parts of %s few times', (_, make, json) => {
    const [count, item] = counting();
    expect(parsed(make(item), json)).toMatchObject({ ok: false });
    expect(count.calls).toBeLessThanOrEqual(200);
  });

  it('ends a refinement that adds an issue for each item', () => {
    let added = 0;
    const schema = z.array(z.number()).superRefine((list, context) => {
      for (const index of list.keys()) {
        context.addIssue({ code: 'custom', message: 'refused', path: [index] });
        added += 1;
      }
    });
    const { problems } = parsed(schema, listOf('0')) as { problems: unknown[] };
    expect(problems).toHaveLength(50);
    expect(problems[0]).toMatchObject({ path: [0], message: 'refused' });
    expect(added).toBeLessThanOrEqual(1_000);
  });

  it('names 50 of the fields that an object should not have', () => {
    const { problems } = parsed(z.strictObject({}), recordOf('1')) as { problems: unknown[] };
    expect(problems).toEqual([
      expect.objectContaining({ keys: Array.from({ length: 50 }, (_, index) => `k${index}`) }),
    ]);
  });
});

function parsed(schema: z.ZodType, json: string): unknown {
  try {
    return parseJsonBy(schema, parseJson(json));
  } catch (error) {
    return error;
  }
}

describe('a body of 1 MiB that does not fit', () => {
  // 250 ms are meant. It took up to 6 s.
  it.each(bodies)('%s takes little time', (_, schema, json) => {
    parsed(schema, '[]');
    expect(cpuMsOf(() => parsed(schema, json))).toBeLessThan(3_000);
    expect(parsed(schema, json)).not.toMatchObject({ ok: true });
  });

  it.each(bodies)('%s has at most fifty problems', (_, schema, json) => {
    const { problems = [] } = parsed(schema, json) as { problems?: unknown[] };
    expect(problems.length).toBeLessThanOrEqual(50);
  });

  it('is a 400 that names its first misfit', async () => {
    const app = await startWithMocks({
      compositions: {
        test: defineComposition({
          route: 'POST /test',
          body: z.object({ list: z.array(z.string()) }),
          compose: () => ({}),
        }),
      },
    });
    const list = Array<unknown>(300_000).fill('').fill(0, 290_000);
    const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const { status, json } = await app.get('/test', { ...init, body: JSON.stringify({ list }) });
    expect(status).toBe(400);
    expect(json.errors).toEqual([
      {
        in: 'body',
        pointer: '/list/290000',
        detail: 'Invalid input: expected string, received number',
      },
    ]);
  });
});

/** Nested in each other, the innermost one last. */
function nested(depth: number, kind: unknown, n: unknown): unknown {
  let value: unknown = { kind, n };
  for (let level = 1; level < depth; level += 1) value = { kind, n: 1, inner: value };
  return value;
}

describe('a value of nested kinds', () => {
  const Node: z.ZodType = z.lazy(() =>
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), n: z.bigint(), inner: Node.optional() }),
      z.object({ kind: z.literal('b'), n: z.bigint(), inner: Node.optional() }),
      z.object({ kind: z.literal(3n), n: z.bigint(), inner: Node.optional() }),
    ]),
  );

  // To try all options takes 3 to the power of 60.
  it.each(['a', 'b', 3])('has its integers read for one kind at each level: %s', (kind) => {
    expect(parseJsonBy(Node, nested(60, kind, 7))).toMatchObject({
      ok: true,
      value: { n: 1n, inner: { n: 1n } },
    });
    expect(parseJsonBy(Node, nested(60, kind, 'x'))).toMatchObject({ ok: false });
  });
});

describe('a smaller one', () => {
  it('has all of its problems', () => {
    const value = Array.from({ length: 1_000 }, (_, index) => index);
    expect(parseJsonBy(z.array(z.string()), value)).toMatchObject({
      problems: expect.objectContaining({ length: 1_000 }),
    });
  });
});

describe('a schema that turns out to be asynchronous', () => {
  it.each<[string, z.ZodType]>([
    ['fits', z.string().refine(() => Promise.resolve(true))],
    ['breaks its promise', z.string().refine(() => Promise.reject(new Error('unheard')))],
    ['does so in a list', z.array(z.string().refine(() => Promise.reject(new Error('unheard'))))],
  ])('refuses every value, and its promises concern nobody: %s', (_, schema) => {
    const value = schema instanceof z.ZodArray ? ['a', 'b'] : 'a';
    expect(parseJsonBy(schema, value)).toMatchObject({
      ok: false,
      problems: [{ code: 'thrown' }],
      cause: expect.any(z.core.$ZodAsyncError),
    });
  });
});
