/** `if (order.paid)` in compose() is found in its text, before it can be always true. */
import { call, each, given, map } from 'plait';
import * as plait from 'plait';
import { describe, expect, it } from 'vitest';
import { refuseMistakes } from '../../src/plan/source/refuse-mistakes.ts';
import { getThing, page, messageOf, loadErrorOf } from '../support/page.ts';

/**
 * Text as node sees it: the import of a word is its plain name there, and something else under
 * vitest.
 */
function composeOf(body: string): (inputs: never) => unknown {
  return new Function(`return ({ params, query }) => { ${body} }`)() as () => unknown;
}

function found(body: string): string {
  const message = messageOf(() => refuseMistakes('page', composeOf(body)));
  return /branches on `(.*)`, which/.exec(message)?.[1] ?? message;
}

describe('a condition on a reference', () => {
  it('is refused with its text and what to use instead', () => {
    const composition = page(({ params }) => (params.id ? { id: params.id } : {}));
    expect(loadErrorOf(composition)).toBe(
      'page: compose() branches on `params.id`, which is a reference: it has no value until a ' +
        'request is served, and is always truthy here. Use given() for a value that may be ' +
        'absent, and map() to compute.',
    );
  });

  it.each([
    ['if (params.id) {}', 'params.id'],
    ['if (FLAG) {} else if (params.id) {}', 'params.id'],
    ['return params.id ? 1 : 2', 'params.id'],
    ['return params.id && 1', 'params.id'],
    ['return query.limit || 20', 'query.limit'],
    ['return query.limit ?? 20', 'query.limit'],
    ['let limit = query.limit; limit ??= 20', 'limit'],
    ['const { limit = 20 } = query', 'limit'],
    ['return !params.id', 'params.id'],
    ['return typeof params.id', 'params.id'],
    ['return params.id === "a"', 'params.id'],
    ['return "a" !== params.id', 'params.id'],
    ['return params.id == null', 'params.id'],
    ['return params.id != null', 'params.id'],
    ['switch (params.id) {}', 'params.id'],
    ['while (params.id) {}', 'params.id'],
    ['do {} while (params.id)', 'params.id'],
    ['for (; params.id;) {}', 'params.id'],
    ['if (FLAG && params.id) {}', 'params.id'],
    ['return FLAG || params.id ? 1 : 2', 'params.id'],
    ['return params?.id ? 1 : 2', 'params?.id'],
    ['return params["id"] ? 1 : 2', 'params["id"]'],
    ['return { deep: [() => params.id ? 1 : 2] }', 'params.id'],
  ])('%s', (body, operand) => {
    expect(found(body)).toBe(operand);
  });

  it.each([
    ['const order = call(getOrder, {}); if (order.paid) {}', 'order.paid'],
    ['if (call(getOrder, {}).paid) {}', 'call(getOrder, {}).paid'],
    ['const { paid } = call(getOrder, {}); if (paid) {}', 'paid'],
    ['const { a: { b: paid } } = call(getOrder, {}); if (paid) {}', 'paid'],
    ['const [first] = call(getOrder, {}); if (first) {}', 'first'],
    ['const { id, ...rest } = params; if (rest.name) {}', 'rest.name'],
    ['const order = call(getOrder, {}); const it = order; if (it) {}', 'it'],
    ['return map(params.id ? 1 : 2, (x) => x)', 'params.id'],
    ['return call(getOrder, { id: params.id ? 1 : 2 })', 'params.id'],
    ['return given(params.id, (id) => id ? 1 : 2)', 'id'],
    ['return each(list, ({ paid }) => paid ? 1 : 2)', 'paid'],
    ['return each(list, function (item) { if (item.paid) return 1 })', 'item.paid'],
    ['return each(list, (item) => each(item.parts, () => item.paid ? 1 : 2))', 'item.paid'],
    ...['optional(x)', 'fallback(x, 1)', 'pick(x, "a")', 'omit(x, "a")', 'map(x, f)'].map(
      (made) => [`const made = ${made}; if (made) {}`, 'made'],
    ),
  ])('is found wherever the reference came from: %s', (body, operand) => {
    expect(found(body)).toBe(operand);
  });

  it('is found in the default of an input', () => {
    const compose = new Function('return ({ query: { limit = 20 } }) => ({ limit })')() as () => 1;
    expect(messageOf(() => refuseMistakes('page', compose))).toContain('branches on `limit`');
  });

  it.each([
    ['an arrow function', '(inputs) => inputs.id ? 1 : 2'],
    ['a function', 'function (inputs) { return inputs.id ? 1 : 2 }'],
    ['an asynchronous function', 'async (inputs) => inputs.id ? 1 : 2'],
  ])('is found in %s', (_, text) => {
    const compose = new Function(`return ${text}`)() as () => unknown;
    expect(messageOf(() => refuseMistakes('page', compose))).toContain('`inputs.id`');
  });

  it.each(['compose(inputs)', 'async compose(inputs)', '["compose"](inputs)', '*compose(inputs)'])(
    'is found in the method %s',
    (head) => {
      const holder = new Function(`return { ${head} { return inputs.id ? 1 : 2 } }`)() as {
        compose: () => unknown;
      };
      expect(messageOf(() => refuseMistakes('page', holder.compose))).toContain('`inputs.id`');
    },
  );

  it.each(['plait.call(getOrder, {})', '(0, plait.call)(getOrder, {})', '(0, plait.map)(x, f)'])(
    'is found when the word is written %s, as tools do',
    (made) => {
      expect(found(`const order = ${made}; if (order.paid) {}`)).toBe('order.paid');
    },
  );

  it('is found in a file as vitest transforms it', () => {
    const imported = page(({ params }) => {
      const thing = call(getThing, { id: params.id });
      return { owner: thing.owner ? thing.owner.name : null };
    });
    expect(loadErrorOf(imported)).toContain('`thing.owner`');
    const namespace = page(({ params }) => {
      const thing = plait.call(getThing, { id: params.id });
      return { owner: thing.owner ? thing.owner.name : null };
    });
    expect(loadErrorOf(namespace)).toContain('`thing.owner`');
  });
});

describe('a condition that is none of a reference', () => {
  it.each([
    'return FLAG ? { id: params.id } : {}',
    'if (process.env.NODE_ENV === "test") return params.id',
    'const debug = FLAG && params.id; return { debug }',
    'for (const name of ["a", "b"]) if (name === "a") return params.id',
    'return ["a", "b"].map((name) => name === "a" ? params.id : null)',
    'const names = ["a", "b"].map((name) => name + 1); if (names.length) return params.id',
    'return Object.fromEntries(NAMES.map((name) => [name, name ? params.id : null]))',
    'return map(params.id, (id) => id ? 1 : 2)',
    'return map({ id: params.id }, ({ id }) => { if (id === "a") return 1; return id ?? 2 })',
    'return plait.map(params.id, (id) => id ? 1 : 2)',
    'return (0, plait.map)(params.id, (id) => id ? 1 : 2)',
    'return each(list, (item) => map(item.paid, (paid) => paid ? 1 : 2))',
    'const first = (params) => params ? 1 : 2; return { first: first(FLAG) }',
    'const a = each(list, (item) => item.id); const item = FLAG; return item ? a : null',
    'return { text: "if (params.id) {}", more: `params.id ? 1 : 2` }',
  ])('is left alone: %s', (body) => {
    expect(() => refuseMistakes('page', composeOf(body))).not.toThrow();
  });

  it('is left alone in a file as vitest transforms it', () => {
    const detailed = process.argv.length > 0;
    const composition = page(({ params }) => {
      const { tags, note } = call(getThing, { id: params.id });
      return {
        note: map(note, (text) => (text === null ? 'none' : text)),
        tags: detailed ? each(tags, (tag) => ({ label: tag.label })) : null,
        again: given(note, (text) => (detailed ? { text } : null)),
      };
    });
    expect(() => loadErrorOf(composition)).toThrow('nothing was thrown');
  });

  it('is not looked for where there is no text', () => {
    expect(() =>
      refuseMistakes('page', composeOf('return params.id ? 1 : 2').bind(undefined)),
    ).not.toThrow();
  });
});
