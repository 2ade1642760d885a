/** A block that has failed is over: nothing of it begins any more, nor of the blocks inside it. */
import { expect, it } from 'vitest';
import { fallback } from '../../src/dsl/guards.ts';
import type { Reference } from '../../src/dsl/reference.ts';
import { call, each, given } from '../../src/dsl/steps.ts';
import {
  expectNothingLeft,
  list,
  maybe,
  part,
  quiet,
  serve,
  value,
  write,
} from '../support/serve.ts';

const rows = () => call(list, { name: 'rows' });
const found = (name: Reference<string> | string) => call(maybe, { name });
const noted = (name: Reference<string> | string) => call(write, { name, body: { note: 'x' } });
const slow = () => call(part, { name: 'slow' }).value;
const writeLate = () => noted(slow());

/** By the place of the write: steps that fail with `bad` before `slow` is answered. */
const failing: Record<string, () => Reference<unknown>> = {
  'a given': () => given(rows(), () => ({ bad: found('bad'), inner: given(rows(), writeLate) })),
  'a given of a given': () =>
    given(rows(), () => ({
      bad: found('bad'),
      inner: given(rows(), () => given(rows(), writeLate)),
    })),
  'an each': () => given(rows(), () => ({ bad: found('bad'), inner: each(rows(), writeLate) })),
  'a second source': () =>
    given(rows(), () => ({ bad: found('bad'), inner: fallback(found('good'), writeLate) })),
  'a given that waits for a step around it': () =>
    given(rows(), () => {
      const name = slow();
      return { bad: found('bad'), inner: given(rows(), () => noted(name)) };
    }),
  'a given of another item': () =>
    each(rows(), ({ id }) => given(found(id), () => given(rows(), writeLate))),
  'an each of another item': () =>
    each(rows(), ({ id }) => given(found(id), () => each(rows(), writeLate))),
};

/** The answers to `good`, where it is asked. */
const answers: Record<string, [body: unknown, status: number]> = {
  'a second source': [{}, 500],
  'a given of another item': [value('G'), 200],
  'an each of another item': [value('G'), 200],
};

it.each(Object.entries(failing))(
  'a step that has failed writes nothing any more in %s, so that its second source may',
  async (place, compose) => {
    const app = await serve(() => ({ step: fallback(compose(), () => noted('instead')) }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/rows', [{ id: 'bad' }, { id: 'good' }]);
    const good = answers[place];
    if (good !== undefined) await app.upstream.answer('GET /maybe/good', ...good);
    const late = await app.upstream.next('GET /parts/slow');
    await app.upstream.answer('GET /maybe/bad', {}, 500);
    const instead = await app.upstream.next('POST /writes/instead');
    late.answer(value('late'));
    await quiet(app);
    instead.answer(value('I'));
    expect((await answer).json).toMatchObject({ step: value('I') });
    const written = app.upstream.asked().filter((one) => one.startsWith('POST'));
    expect(written).toEqual(['POST /writes/instead']);
    await expectNothingLeft(app);
  },
);
