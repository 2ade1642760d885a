import { describe, expect, it } from 'vitest';
import { fallback, optional } from '../../src/dsl/guards.ts';
import { call, each, map } from '../../src/dsl/steps.ts';
import { items, list, part, serve, value } from '../support/serve.ts';

interface Item {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

const token = /^[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*/;
const string = /^"(?:[ !#-[\]-~]|\\["\\])*"/;
const displayString = /^%"(?:[ !#$&-~]|%[\da-f]{2})*"/;
const integer = /^-?\d{1,15}/;
const key = /^[a-z*][a-z0-9_\-.*]*/;

/** Reads a list of structured fields (RFC 9651, 4.2.1) as far as we write them; strict about the rest. */
function parseList(header: string): Item[] {
  let rest = header;
  function take(pattern: RegExp): string {
    const [text] = pattern.exec(rest) ?? [];
    if (text === undefined)
      throw new Error(`${JSON.stringify(rest)} does not begin with ${pattern}`);
    rest = rest.slice(text.length);
    return text;
  }
  function bare(): string | number {
    if (rest.startsWith('%"')) return take(displayString).slice(2, -1);
    if (rest.startsWith('"')) return take(string).slice(1, -1);
    return /^[-\d]/.test(rest) ? Number(take(integer)) : take(token);
  }
  const found: Item[] = [];
  while (rest !== '') {
    const name = String(bare());
    const parameters: Record<string, string | number> = {};
    while (rest.startsWith(';')) {
      take(/^; */);
      const parameter = take(key);
      take(/^=/);
      parameters[parameter] = bare();
    }
    found.push({ name, parameters });
    if (rest !== '') take(/^[ \t]*,[ \t]*(?=.)/);
  }
  return found;
}

describe('Plait-Degraded', () => {
  it('is a structured list with an item for every step and reason', async () => {
    const app = await serve(() => ({
      payment: optional(call(part, { name: 'a' })),
      deep: { shipment: fallback(call(part, { name: 'b' }), { value: 'x' }) },
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', {}, 500);
    await app.upstream.answer('GET /parts/b', 'broken');
    const { headers } = await answer;
    expect(parseList(headers.get('plait-degraded') ?? '').toSorted(byName)).toEqual([
      { name: 'deep.shipment', parameters: { reason: 'invalid-body' } },
      { name: 'payment', parameters: { reason: 'status', status: 500 } },
    ]);
  });

  it('can be read whatever the fields are called', async () => {
    const names = ['2nd', 'a b', 'ä', 'x"y', 'a,b;c=d', '/', 'a\nb', '*', 'tilde~'];
    const app = await serve(() =>
      Object.fromEntries(
        names.map((name, index) => [name, optional(call(part, { name: `${index}` }))]),
      ),
    );
    app.upstream.answerAll(() => null);
    const { headers, json } = await app.ask();
    const degraded = parseList(headers.get('plait-degraded') ?? '');
    expect(degraded).toHaveLength(names.length);
    expect(degraded.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['2nd', 'a_b', '*', 'tilde~']),
    );
    expect(json.$problems.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual(
      names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).toSorted(),
    );
  });

  it('counts the failures of the items of a list, by reason', async () => {
    const app = await serve(() => ({
      rows: each(call(list, { name: 'l' }), (item) => ({
        x: optional(call(part, { name: item.id })),
      })),
    }));
    const answer = app.ask();
    await app.upstream.answer('GET /lists/l', items(4));
    await app.upstream.answer('GET /parts/1', {}, 500);
    await app.upstream.answer('GET /parts/2', {}, 404);
    await app.upstream.answer('GET /parts/3', {}, 500);
    await app.upstream.answer('GET /parts/4', value('4'));
    const { headers } = await answer;
    expect(parseList(headers.get('plait-degraded') ?? '')).toEqual([
      { name: 'rows.x', parameters: { reason: 'status', status: 500, count: 2 } },
      { name: 'rows.x', parameters: { reason: 'status', status: 404 } },
    ]);
  });
});

describe('$problems', () => {
  it('points at every missing part, and says why it is missing', async () => {
    const app = await serve(() => ({ payment: optional(call(part, { name: 'a' })) }));
    const answer = app.ask();
    await app.upstream.answer('GET /parts/a', { detail: 'canary-4711' }, 404);
    const { json } = await answer;
    expect(json).toEqual({
      payment: null,
      $problems: [
        {
          pointer: '/payment',
          step: 'payment',
          type: 'urn:plait:problem:upstream-status',
          title: 'Upstream failed',
          status: 502,
        },
      ],
    });
  });

  it('is absent when nothing is missing', async () => {
    const app = await serve(() => ({ payment: optional(call(part, { name: 'a' })) }));
    app.upstream.answerAll(value);
    const { json, headers } = await app.ask();
    expect(json).not.toHaveProperty('$problems');
    expect(headers.has('plait-degraded')).toBe(false);
  });

  it.each([
    { what: 'a list', compose: () => [optional(call(part, { name: 'a' }))], json: [null] },
    { what: 'null', compose: () => optional(call(part, { name: 'a' })), json: null },
    {
      what: 'text',
      compose: () => map(optional(call(part, { name: 'a' })), () => 'none'),
      json: 'none',
    },
  ])(
    'is not there when the response is $what: the header says it',
    async ({ what, compose, json }) => {
      const app = await serve(compose);
      const answer = app.ask();
      await app.upstream.answer('GET /parts/a', {}, 500);
      const { status, headers, json: given } = await answer;
      expect({ status, json: given }).toEqual({ status: 200, json });
      const reason = { reason: 'status', status: 500 };
      const at = what === 'a list' ? '/0' : '';
      expect(parseList(headers.get('plait-degraded') ?? '')).toMatchObject([
        { parameters: { ...reason, at } },
      ]);
    },
  );

  it('is not there when the response is a list of many: the header points at up to 20', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), (item) => ({
        'é"%': optional(call(part, { name: item.id })),
      })),
    );
    app.upstream.answerAll((request) => (request.startsWith('GET /lists') ? items(30) : null));
    const { headers, json } = await app.ask();
    expect(json).toHaveLength(30);
    const degraded = parseList(headers.get('plait-degraded') ?? '');
    expect(degraded).toHaveLength(21);
    expect(decodeURIComponent(String(degraded[3]?.parameters['at']))).toBe('/3/é"%');
    expect(degraded[20]?.parameters).toEqual({ reason: 'invalid-body', count: 10 });
  });

  it('is not there when the response is a list with long names: the header stays short', async () => {
    const app = await serve(() =>
      each(call(list, { name: 'l' }), (item) => ({
        ['x'.repeat(900)]: optional(call(part, { name: item.id })),
      })),
    );
    app.upstream.answerAll((request) => (request.startsWith('GET /lists') ? items(9) : null));
    const { headers } = await app.ask();
    expect((headers.get('plait-degraded') ?? '').length).toBeLessThan(6_000);
  });
});

describe('a degraded response', () => {
  it('may be kept by no cache', async () => {
    const app = await serve(() => ({ payment: optional(call(part, { name: 'a' })) }));
    app.upstream.answerAll(() => null);
    expect((await app.ask()).headers.get('cache-control')).toBe('no-store');
  });
});

function byName(one: Item, other: Item): number {
  return one.name.localeCompare(other.name);
}
