import {
  after,
  answer,
  call,
  defineComposition,
  each,
  given,
  map,
  operation,
  optional,
} from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import { warningsOf } from '../../src/plan/warnings.ts';
import { createThing, getThing, things, thingOf } from '../support/page.ts';

const listThings = operation(things, {
  name: 'listThings',
  route: 'GET /things',
  response: z.array(z.object({ id: z.string() })),
});

const read = () => call(getThing, { id: '1' });
const write = () => call(createThing, { body: { name: 'one' } });

function warningsFor(compose: () => object, deadlineMs?: number): string[] {
  const composition = defineComposition({
    route: 'POST /own',
    ...(deadlineMs !== undefined && { deadlineMs }),
    compose,
  });
  return warningsOf(compile({ name: 'own', composition }));
}

const unused = (step: string, operationName: string): string =>
  `own: nothing uses the value of "${step}" (${operationName}), which is called all the same. ` +
  'Remove it; if it checks a permission, put what depends on it into after().';

describe('a read whose value nothing uses is warned of', () => {
  it.each<[string, () => object, string, string]>([
    ['alone', () => (read(), {}), 'getThing', 'things.getThing'],
    ['a lookup', () => (call(thingOf, { id: '1' }), {}), 'thingOf', 'things.thingOf'],
    ['tolerated', () => (optional(read()), {}), 'getThing', 'things.getThing'],
    ['mapped to nothing', () => (map(read(), ({ id }) => id), {}), 'getThing', 'things.getThing'],
    ['beside a write', () => (read(), { made: write() }), 'getThing', 'things.getThing'],
    [
      'in the block of an each',
      () => ({ list: each(call(listThings, {}), () => (read(), { ok: true })) }),
      'list.getThing',
      'things.getThing',
    ],
  ])('%s', (_, compose, step, operationName) => {
    expect(warningsFor(compose)).toEqual([unused(step, operationName)]);
  });

  it('with all that only it uses', () => {
    expect(warningsFor(() => (call(getThing, { id: read().id }), {}))).toEqual([
      unused('getThing', 'things.getThing'),
      unused('getThing#2', 'things.getThing'),
    ]);
  });
});

describe('nothing is said of', () => {
  it.each<[string, () => object]>([
    ['a value of the response', () => ({ thing: optional(read()) })],
    ['a field of it', () => ({ id: read().id })],
    ['an argument of a write', () => (call(createThing, { body: { name: read().id } }), {})],
    ['a write whose value nothing uses', () => (write(), {})],
    ['a check that calls come after', () => ({ thing: after(read(), () => read()) })],
    ['a check that a write comes after', () => (after(read(), () => write()), {})],
    ['a condition', () => ({ thing: given(read(), () => ({ ok: true })) })],
    ['a condition of a write', () => (given(read(), () => ({ made: write() })), {})],
    ['a list of writes', () => (each(call(listThings, {}), () => ({ made: write() })), {})],
    ['a value of an inner block', () => ({ l: each(call(listThings, {}), () => ({ t: read() })) })],
  ])('%s', (_, compose) => {
    expect(warningsFor(compose)).toEqual([]);
  });
});

describe('a deadline', () => {
  it.each([
    [1, ['own: deadlineMs is 1, which is less than most calls take. It is in milliseconds.']],
    [19, ['own: deadlineMs is 19, which is less than most calls take. It is in milliseconds.']],
    [20, []],
    [undefined, []],
  ])('of %s ms', (deadlineMs, warnings) => {
    expect(warningsFor(() => ({ thing: read() }), deadlineMs)).toEqual(warnings);
  });
});

describe('a call that a 202 may answer', () => {
  const post = operation(things, {
    name: 'post',
    route: 'POST /jobs',
    response: {
      body: z.object({ id: z.string() }),
      headers: z.object({ location: z.string().optional(), etag: z.string().optional() }),
      status: z.literal([200, 202]),
    },
  });
  const job = () => call(post, {});
  const words =
    'own: "post" (things.post) may answer 202, which says that its work is not done yet, but the ' +
    'response is always a 200. Use its status, as in answer(…, { status: step.status }), or its ' +
    'headers.location.';

  it.each<[string, () => object]>([
    ['nothing', () => (job(), {})],
    ['its body', () => ({ id: job().body.id })],
    ['another header', () => ({ etag: job().headers.etag })],
    ['its body, tolerated', () => ({ id: optional(job()).body })],
    ['its body, under a 200', () => answer({ id: job().body.id }, { status: 200 })],
  ])('is warned of where the response uses %s', (_, compose) => {
    expect(warningsFor(compose)).toEqual([words]);
  });

  it.each<[string, () => object]>([
    ['its status', () => ({ status: job().status })],
    ['its status, tolerated', () => ({ status: optional(job()).status })],
    ['its status in a map', () => ({ late: map(job(), ({ status }) => status === 202) })],
    ['its location', () => ({ job: job().headers.location })],
    [
      'its location in a header',
      () => answer({}, { headers: { location: job().headers.location } }),
    ],
    ['a status by data', () => answer({}, { status: job().status })],
    ['a 202 of its own', () => (job(), answer({}, { status: 202 }))],
  ])('is not where the response has %s', (_, compose) => {
    expect(warningsFor(compose)).toEqual([]);
  });
});

describe('a field that "false" makes true', () => {
  it.each([
    z.coerce.boolean(),
    z.coerce.boolean().optional(),
    z.array(z.coerce.boolean()).default([]),
  ])('is warned of', (field) => {
    expect(warningsOfQuery(field)).toEqual([
      'own: query.flag is z.coerce.boolean(), for which every text but an empty one is true, ' +
        '"false" too. Use z.stringbool().',
    ]);
  });

  it.each([z.stringbool(), z.coerce.number(), z.string().transform(Boolean)])(
    'is not where its schema reads the text',
    (field) => {
      expect(warningsOfQuery(field)).toEqual([]);
    },
  );
});

function warningsOfQuery(field: z.ZodType): readonly string[] {
  return warningsOf(
    compile({
      name: 'own',
      composition: defineComposition({
        route: 'GET /own',
        query: z.object({ flag: field }),
        compose: () => ({ read: read() }),
      }),
    }),
  );
}
