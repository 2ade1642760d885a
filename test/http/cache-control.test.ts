import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ResponseCache } from '../../src/dsl/cache.ts';
import { optional } from '../../src/dsl/guards.ts';
import { call, each, given } from '../../src/dsl/steps.ts';
import { narrowed, unrestricted } from '../../src/engine/response-freshness.ts';
import { cacheControlFor } from '../../src/http/cache-control.ts';
import { assertProperty } from '../support/property.ts';
import {
  items,
  keptPart,
  list,
  localPart,
  ownPart,
  part,
  priceOf,
  serve,
  value,
} from '../support/serve.ts';
import type { Answer } from '../support/request.ts';

type Headers = Readonly<Record<string, string>>;

const a = () => ({ a: call(part, { name: 'a' }) });
const ab = () => ({ a: call(part, { name: 'a' }), b: call(part, { name: 'b' }) });

/** The `Cache-Control` of a response whose parts `a` and `b` come with these headers. */
async function saidOf(cache: ResponseCache, ...[one, other]: [Headers, Headers?]) {
  const app = await serve(other === undefined ? a : ab, { cache });
  const answer = app.ask();
  await app.upstream.answer('GET /parts/a', value('A'), 200, one);
  if (other !== undefined) await app.upstream.answer('GET /parts/b', value('B'), 200, other);
  return cacheControlOf(await answer);
}

function cacheControlOf({ headers }: Answer): string | null {
  return headers.get('cache-control');
}

describe('Cache-Control', () => {
  it.each<[ResponseCache, string]>([
    [{ maxAge: 60 }, 'public, max-age=60'],
    [{ maxAge: 0 }, 'public, max-age=0'],
    [{ maxAge: 60, sMaxAge: 300 }, 'public, max-age=60, s-maxage=300'],
    [{ maxAge: 60, sMaxAge: 60 }, 'public, max-age=60'],
    [{ maxAge: 60, staleWhileRevalidate: 30 }, 'public, max-age=60, stale-while-revalidate=30'],
    [{ maxAge: 60, visibility: 'private' }, 'private, max-age=60'],
  ])('is what the composition declares: %j', async (cache, expected) => {
    expect(await saidOf(cache, {})).toBe(expected);
  });

  it('is no-store where nothing is declared, whatever the parts allow', async () => {
    const app = await serve(a);
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', value('A'), 200, { 'cache-control': 'max-age=60' });
    expect(cacheControlOf(await answer)).toBe('no-store');
  });

  it.each([
    ['a part that says nothing does not narrow it', '', 'public, max-age=60'],
    ['nor does a longer one', 'max-age=600', 'public, max-age=60'],
    ['nor what we do not know', 'public, immutable', 'public, max-age=60'],
    ['a shorter one does', 'max-age=5', 'public, max-age=5'],
    ['one for shared caches narrows it for those', 's-maxage=5', 'public, max-age=60, s-maxage=5'],
    ['each kind of cache has its own', 'max-age=5, s-maxage=9', 'public, max-age=5, s-maxage=9'],
    [
      'one that must not be used past its time',
      'max-age=5, must-revalidate',
      'public, max-age=5, must-revalidate',
    ],
    ['private stays private', 'private, max-age=600', 'private, max-age=60'],
    ['private for one field too', 'private="x-user"', 'private, max-age=60'],
    ['no-store stays no-store', 'max-age=600, No-Store', 'no-store'],
    ['no-cache is fresh for no time', 'no-cache', 'public, max-age=0, must-revalidate'],
    ['an age that is none is 0', 'max-age=soon', 'public, max-age=0'],
  ])('%s', async (_, said, expected) => {
    const headers: Headers = said === '' ? {} : { 'cache-control': said };
    expect(await saidOf({ maxAge: 60 }, headers)).toBe(expected);
  });

  it.each([
    ['is as old as it says', { 'cache-control': 'max-age=60', age: '45' }, 15],
    ['older than it may be', { 'cache-control': 'max-age=60', age: '90' }, 0],
    ['of an age that is none', { 'cache-control': 'max-age=60', age: 'old' }, 60],
    [
      'has an end instead of a length',
      { expires: 'Wed, 21 Oct 2026 07:28:20 GMT', date: 'Wed, 21 Oct 2026 07:28:00 GMT' },
      20,
    ],
    ['has ended before', { expires: '0' }, 0],
    ['has both, of which the length counts', { expires: '0', 'cache-control': 'max-age=7' }, 7],
    ['varies by what no header says', { vary: '*' }, 0],
  ])('counts what is left of a part that %s', async (_, headers, maxAge) => {
    expect(await saidOf({ maxAge: 3_600 }, headers as Headers)).toMatch(
      new RegExp(`^public, max-age=${maxAge}(,|$)`),
    );
  });

  it('is as narrow as the narrowest of all parts', async () => {
    const said = await saidOf(
      { maxAge: 60, sMaxAge: 600, staleWhileRevalidate: 100 },
      { 'cache-control': 'max-age=30' },
      { 'cache-control': 'private, max-age=40' },
    );
    expect(said).toBe('private, max-age=30');
  });

  it('counts stale use into the time a part allows', async () => {
    const cache = { maxAge: 60, staleWhileRevalidate: 100 };
    expect(await saidOf(cache, { 'cache-control': 'max-age=70' })).toBe(
      'public, max-age=60, stale-while-revalidate=10',
    );
    expect(await saidOf(cache, { 'cache-control': 'max-age=600, s-maxage=65' })).toBe(
      'public, max-age=60, stale-while-revalidate=5',
    );
  });

  it('does not allow stale use where a part forbids it', async () => {
    const cache = { maxAge: 60, staleWhileRevalidate: 100 };
    expect(await saidOf(cache, { 'cache-control': 'proxy-revalidate' })).toBe(
      'public, max-age=60, must-revalidate',
    );
  });

  it('subtracts the time for which the gateway has kept a part', async () => {
    const app = await serve(() => ({ a: call(keptPart, { name: 'a' }) }), {
      cache: { maxAge: 60, staleWhileRevalidate: 10 },
    });
    const first = app.ask();
    await app.upstream.answer('GET /kept/a', value('A'), 200, {
      'cache-control': 'max-age=100',
      age: '30',
    });
    expect(cacheControlOf(await first)).toBe('public, max-age=60, stale-while-revalidate=10');
    app.clock.advance(25_000);
    expect(cacheControlOf(await app.ask())).toBe('public, max-age=45');
    // Past the minute for which we keep it ourselves.
    app.clock.advance(40_000);
    expect(cacheControlOf(await app.ask())).toBe('public, max-age=0, must-revalidate');
    await app.upstream.answer('GET /kept/a', value('B'));
  });

  it('counts parts inside given and each, and those of a batch', async () => {
    const app = await serve(
      () => ({
        maybe: given(call(part, { name: 'a' }), ({ value: name }) => call(part, { name })),
        rows: each(call(list, { name: 'l' }), ({ id }) => call(priceOf, { id })),
      }),
      { cache: { maxAge: 60 } },
    );
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', value('b'));
    await app.upstream.answer('GET /lists/l', items(2));
    const prices = items(2).map(({ id }) => ({ id, price: 1 }));
    await app.upstream.answer('GET /prices?ids=1,2', prices, 200, { 'cache-control': 'max-age=9' });
    await app.upstream.answer('GET /parts/b', value('B'), 200, { 'cache-control': 'private' });
    expect(cacheControlOf(await answer)).toBe('private, max-age=9');
  });

  it('does not remember the parts of an earlier request', async () => {
    const app = await serve(a, { cache: { maxAge: 60 } });
    for (const [said, expected] of [
      ['no-store', 'no-store'],
      ['max-age=5', 'public, max-age=5'],
      ['max-age=600', 'public, max-age=60'],
    ] as const) {
      const answer = app.ask();
      await app.upstream.answer('GET /parts/a', value('A'), 200, { 'cache-control': said });
      expect(cacheControlOf(await answer)).toBe(expected);
    }
  });
});

describe('a response that no cache may keep', () => {
  const cache = { maxAge: 60 };

  it('is a degraded response', async () => {
    const app = await serve(() => ({ a: optional(call(part, { name: 'a' })) }), { cache });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 500, { 'cache-control': 'max-age=60' });
    const { status, headers } = await answer;
    expect({ status, cacheControl: headers.get('cache-control') }).toEqual({
      status: 200,
      cacheControl: 'no-store',
    });
    expect(headers.has('etag')).toBe(false);
  });

  it('is an error', async () => {
    const app = await serve(a, { cache });
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 404, { 'cache-control': 'max-age=60' });
    expect([(await answer).status, cacheControlOf(await answer)]).toEqual([502, 'no-store']);
    expect(cacheControlOf(await app.get('/test?x=1'))).toBe('no-store');
    expect(cacheControlOf(await app.ask({ method: 'DELETE' }))).toBe('no-store');
  });
});

describe('a response that depends on who the client is', () => {
  it('is private whatever is declared, also for a client without credentials', async () => {
    const app = await serve(() => ({ a: call(ownPart, { name: 'a' }) }), {
      cache: { maxAge: 60, sMaxAge: 600, visibility: 'public' },
    });
    app.upstream.answerAll(() => value('A'));
    for (const headers of [{ authorization: 'Bearer x' }, {}] as Headers[])
      expect(cacheControlOf(await app.ask({ headers }))).toBe('private, max-age=60');
  });

  it('may be public if only its language depends on the client', async () => {
    const app = await serve(() => ({ a: call(localPart, { name: 'a' }) }), {
      cache: { maxAge: 60, sMaxAge: 600 },
    });
    app.upstream.answerAll(() => value('A'));
    expect(cacheControlOf(await app.ask())).toBe('public, max-age=60, s-maxage=600');
  });
});

describe('Vary', () => {
  it('names every header that a part or the composition itself may depend on', async () => {
    const headers = z.object({ 'x-shop': z.string(), 'accept-language': z.string() });
    const app = await serve(
      () => ({
        own: call(ownPart, { name: 'a' }),
        maybe: given(call(part, { name: 'a' }), () => call(localPart, { name: 'a' })),
      }),
      { cache: { maxAge: 60 }, headers },
    );
    app.upstream.answerAll(() => value('A'));
    const answer = await app.ask({ headers: { 'x-shop': 's', 'accept-language': 'de' } });
    expect(answer.headers.get('vary')).toBe('accept-language, authorization, x-shop');
  });

  it('is absent when there is nothing to name', async () => {
    const app = await serve(a, { cache: { maxAge: 60 } });
    app.upstream.answerAll(() => value('A'));
    expect((await app.ask()).headers.has('vary')).toBe(false);
  });
});

const seconds = fc.nat({ max: 100 });

interface Part {
  readonly noStore: boolean;
  readonly isPrivate: boolean;
  readonly noCache: boolean;
  readonly maxAge: number | undefined;
  readonly sMaxAge: number | undefined;
  readonly age: number | undefined;
}

const seldom = fc.nat({ max: 9 }).map((n) => n === 0);
const anyPart: fc.Arbitrary<Part> = fc.record({
  noStore: seldom,
  isPrivate: seldom,
  noCache: seldom,
  maxAge: fc.option(seconds, { nil: undefined }),
  sMaxAge: fc.option(seconds, { nil: undefined }),
  age: fc.option(seconds, { nil: undefined }),
});

const anyCache = fc.record({
  visibility: fc.constantFrom('public' as const, 'private' as const),
  maxAge: seconds,
  sMaxAge: fc.option(seconds, { nil: undefined }),
  staleWhileRevalidate: seconds,
});

function headersOf({ noStore, isPrivate, noCache, maxAge, sMaxAge, age }: Part): Headers {
  const said = [
    ...(noStore ? ['no-store'] : []),
    ...(isPrivate ? ['private'] : []),
    ...(noCache ? ['no-cache'] : []),
    ...(maxAge === undefined ? [] : [`max-age=${maxAge}`]),
    ...(sMaxAge === undefined ? [] : [`s-maxage=${sMaxAge}`]),
  ].join(', ');
  return {
    ...(said !== '' && { 'cache-control': said }),
    ...(age !== undefined && { age: String(age) }),
  };
}

/** How long a cache may use something: without asking, and at all. */
function windowsOf(said: string, kind: 'private' | 'shared') {
  const secondsOf = (name: string): number | undefined => {
    const [, text] = new RegExp(`(?:^|, )${name}=(\\d+)`).exec(said) ?? [];
    return text === undefined ? undefined : Number(text);
  };
  const maxAge = secondsOf('max-age');
  const fresh = (kind === 'shared' ? secondsOf('s-maxage') : undefined) ?? maxAge ?? Infinity;
  return { fresh, usable: fresh + (secondsOf('stale-while-revalidate') ?? 0) };
}

describe('the property: Cache-Control is never wider than any part', () => {
  it('holds for whether it may be kept, by whom, and for how long', () => {
    assertProperty(
      fc.property(anyCache, fc.array(anyPart, { maxLength: 5 }), (cache, parts) => {
        const freshness = parts.reduce(
          (left, one) => narrowed(left, { headers: headersOf(one) }),
          unrestricted,
        );
        const said = cacheControlFor(cache)(freshness);
        expect(said === 'no-store').toBe(parts.some(({ noStore }) => noStore));
        if (said === 'no-store') return;
        const isPrivate = cache.visibility === 'private' || parts.some((one) => one.isPrivate);
        expect(said.startsWith(isPrivate ? 'private, ' : 'public, ')).toBe(true);
        for (const kind of isPrivate ? (['private'] as const) : (['private', 'shared'] as const)) {
          const { fresh, usable } = windowsOf(said, kind);
          const declared = kind === 'shared' ? (cache.sMaxAge ?? cache.maxAge) : cache.maxAge;
          const limits = parts.map((one) => limitOf(one, kind));
          // Never wider, and no narrower than it has to be.
          expect(fresh).toBe(Math.min(declared, ...limits));
          expect(usable).toBeLessThanOrEqual(
            Math.min(declared + cache.staleWhileRevalidate, ...limits),
          );
        }
      }),
      { full: 2_000 },
    );
  });

  it('holds for every order in which the parts arrive', () => {
    assertProperty(
      fc.property(anyCache, fc.array(anyPart, { maxLength: 5 }), (cache, parts) => {
        const [there, back] = [parts, parts.toReversed()].map((all) =>
          all.reduce((left, one) => narrowed(left, { headers: headersOf(one) }), unrestricted),
        );
        const say = cacheControlFor(cache);
        expect(say(there ?? unrestricted)).toBe(say(back ?? unrestricted));
      }),
    );
  });
});

function limitOf(one: Part, kind: 'private' | 'shared'): number {
  if (one.noCache) return 0;
  const lifetime = (kind === 'shared' ? one.sMaxAge : undefined) ?? one.maxAge ?? Infinity;
  return Math.max(0, lifetime - (one.age ?? 0));
}
