/** Values that differ each time, made where no source can be read. */
import { randomUUID } from 'node:crypto';
import { map } from 'plait';
import { describe, expect, it } from 'vitest';
import { loadErrorOf, page } from '../support/page.ts';

/** Like the functions of packages: their source is not followed. */
const unread = {
  now: () => new Date().toISOString(),
  today: () => new Date().toISOString().slice(0, 10),
  year: () => new Date(Date.now()).getFullYear(),
  text: () => Date(),
  id: () => randomUUID(),
};

describe('a value of compose() that differs each time', () => {
  it('is refused with both values and where it belongs', () => {
    const year = new Date().getFullYear();
    expect(loadErrorOf(page(() => ({ a: [{ year: unread.year() }] })))).toMatch(
      new RegExp(
        `^page: compose\\(\\) made ${year}, and ${year + 1} when it was tried again\\. It runs at ` +
          'start-up only, so that every request would get the first\\. Compute what differs in ' +
          'map\\(\\), which runs for each request: map\\(\\{\\}, \\(\\) => …\\)\\.$',
      ),
    );
  });

  it.each(Object.entries(unread))('is found: %s()', (_, make) => {
    expect(loadErrorOf(page(() => ({ value: make() })))).toContain('when it was tried again');
    expect(loadErrorOf(page(() => map({ value: make() }, (given) => given.value)))).toContain(
      'when it was tried again',
    );
  });

  it('is found where the shape of the response depends on it', () => {
    const odd = { flag: false };
    const flip = () => (odd.flag = !odd.flag);
    expect(loadErrorOf(page(() => (flip() ? { a: 1 } : { b: 1 })))).toContain(
      'made 1, and nothing when',
    );
  });
});

describe('a value of compose() that is the same each time', () => {
  it.each<[string, () => unknown]>([
    ['from an unread function', () => ({ at: unread.now.name, params: [null, true, 'a', 1] })],
    ['a fixed moment', () => new Date(0).toISOString()],
    ['in map()', () => map({}, () => unread.now())],
  ])('is left alone: %s', (_, make) => {
    const used = new Date() instanceof Date;
    expect(() => loadErrorOf(page(() => ({ used, value: make() })))).toThrow('nothing was thrown');
  });

  it('is not known of a compose() that can run only once', () => {
    let runs = 0;
    const once = () => {
      runs += 1;
      if (runs > 1) throw new Error('again');
      return runs;
    };
    expect(() => loadErrorOf(page(() => ({ value: once() })))).toThrow('nothing was thrown');
    expect(runs).toBe(2);
  });

  it('leaves the clock as it was', () => {
    const { Date: before } = globalThis;
    loadErrorOf(page(() => ({ value: unread.now() })));
    expect(globalThis.Date).toBe(before);
  });
});
