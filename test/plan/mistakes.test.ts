/** Mistakes that only the source of `compose` and its helpers shows, one table for each kind. */
import { answer } from 'plait';
import { describe, expect, it } from 'vitest';
import { createModules } from '../../src/plan/source/modules.ts';
import { refuseMistakes } from '../../src/plan/source/refuse-mistakes.ts';
import { withoutTypes } from '../../src/read-source.ts';
import { messageOf } from '../support/page.ts';

const head = `
  import { after, call, defineComposition, each, fallback, given, map, optional } from 'plait';
  import { getOrder, paymentOf } from './upstreams/orders.ts';
`;

/** A file with a composition; `top` stands before it. */
function file(body: string, top = ''): string {
  return `${head}${top}
    export default defineComposition({
      route: 'GET /orders/:id',
      compose({ params, query }) {
        const order = call(getOrder, { id: params.id });
        const payment = optional(call(paymentOf, { orderId: params.id }));
        ${body}
      },
    });`;
}

/** The messages about the composition in `page.ts`; the function itself has no text. */
function said(page: string, others: Readonly<Record<string, string>> = {}): string {
  const files: Readonly<Record<string, string>> = { 'page.ts': page, ...others };
  const modules = createModules((path) => {
    const typed = files[path];
    return typed === undefined ? undefined : { text: withoutTypes(typed), typed };
  });
  const withoutText: () => unknown = String;
  refuseMistakes('page', withoutText, { path: 'page.ts', modules });
  return '';
}

function messageAbout(page: string, others?: Readonly<Record<string, string>>): string {
  return messageOf(() => said(page, others));
}

describe('a step that a function of map() would add', () => {
  it('is refused with its text, its line and what to do', () => {
    const page = file('return map(order, (o) => call(paymentOf, { orderId: o.id }));');
    expect(messageAbout(page)).toBe(
      'page: compose() has `call(paymentOf, { orderId: o.id })` in a function given to map(), ' +
        'which runs on values while a request is served, when no step can be added. Move it out ' +
        'of map(): call() takes references as its arguments, given() is for what may be absent, ' +
        'and each() for the items of a list. (page.ts:10)',
    );
  });

  it.each([
    ['return map(order, (o) => o.items.map((i) => call(paymentOf, { orderId: i.id })))', 'call('],
    ['return map(order, (o) => map(o, (x) => x.id))', 'map(o'],
    ['return map(order, (o) => (o.paid ? given(o, () => 1) : null))', 'given('],
    ['return map(order, pay); function pay(o) { return call(paymentOf, { id: o.id }) }', 'call('],
  ])('is found in: %s', (body, text) => {
    expect(messageAbout(file(body))).toContain(`compose() has \`${text}`);
  });

  it.each([
    ["import { pick } from 'lodash';", 'return map(order, (o) => pick(o, ["id"]))'],
    ["import * as _ from 'lodash';", 'return map(order, (o) => _.map(o.items, (i) => i.id))'],
    ['const pick = (o) => o.id;', 'return map(order, (o) => pick(o))'],
  ])('is not mistaken for a function of the same name: %s', (top, body) => {
    expect(said(file(body, top))).toBe('');
  });

  it('is not looked for in functions that do not run there', () => {
    const body =
      'const paid = (id) => call(paymentOf, { id }); return map(paid(order.id), (p) => p)';
    expect(said(file(body))).toBe('');
  });
});

describe('a reference that a function of map() captures', () => {
  it('is refused with its text, its line and what to do', () => {
    const page = file('return { late: map(order, (o) => payment.status ? o.eta : null) };');
    expect(messageAbout(page)).toBe(
      'page: compose() uses `payment.status` in a function given to map(), which is a reference: ' +
        'it has no value until a request is served. Pass it as an input of map(), as in map({ ' +
        'order, payment }, ({ order, payment }) => …). (page.ts:10)',
    );
  });

  it.each([
    ['return map(order, () => payment)', 'payment'],
    ['return map(order, (o) => ({ ...o, payment }))', 'payment'],
    ['return map(order, (o) => `${o.id}${payment.status}`)', 'payment.status'],
    ['return map(order, (o) => o.items.filter((i) => i.id === query.item))', 'query.item'],
    [
      'return map(order, (o) => payment.items.filter((i) => i.id === o.id))',
      'payment.items.filter',
    ],
    ['return map(order, function (o) { return o.id + params.id })', 'params.id'],
    ['return map(order, late); function late(o) { return payment.status }', 'payment.status'],
    ['const late = (o) => payment.status; return map(order, late)', 'payment.status'],
    ['const paid = () => payment.status; return map(order, (o) => paid())', 'payment.status'],
    ['return each(order.items, (item) => map(order, (o) => item.id))', 'item.id'],
    ['return given(payment, (present) => map(order, (o) => present.status))', 'present.status'],
    ['return fallback(order, (failure) => map(order, (o) => failure.kind))', 'failure.kind'],
    ['return map(order, (o) => log(payment))', 'payment'],
    ['const parts = { payment }; return map(order, (o) => parts.payment.id)', 'parts.payment.id'],
    ['return after(order, () => map({}, () => order.id))', 'order.id'],
  ])('is found in: %s', (body, text) => {
    expect(messageAbout(file(body))).toContain(`uses \`${text}\` in a function given to map()`);
  });

  it('is found in a helper', () => {
    const top = 'const lateOf = (order, payment) => map(order, (o) => o.eta > payment.due);';
    expect(messageAbout(file('return lateOf(order, payment)', top))).toMatch(
      /^page: lateOf\(\) uses `payment.due` in a function given to map\(\).* \(page.ts:4\)$/,
    );
  });
});

describe('a condition on a reference in a helper', () => {
  const branching = {
    'if (ref)': 'if (order) return 1; return 2',
    'ref ? a : b': 'return order ? 1 : 2',
    'ref && x': 'return order && 1',
    'ref || x': 'return order || 1',
    'ref ?? x': 'return order ?? 1',
    "ref === 'x'": "return order === 'x'",
    '!ref': 'return !order',
    'typeof ref': 'return typeof order',
    'switch (ref)': 'switch (order) {}',
  };

  it.each(Object.entries(branching))('of the same file is found: %s', (_, body) => {
    const top = `function lineOf(order: Ref<Order>) { ${body} }`;
    expect(messageAbout(file('return { line: lineOf(order) }', top))).toBe(
      'page: lineOf() branches on `order`, which is a reference: it has no value until a request ' +
        'is served, and is always truthy here. Use given() for a value that may be absent, and ' +
        'map() to compute. (page.ts:4)',
    );
  });

  it.each(Object.entries(branching))('of an imported file is found: %s', (_, body) => {
    const page = file('return { line: lineOf(order) }', "import { lineOf } from './lib/lines.ts';");
    const lines = `export const lineOf = (order: Ref<Order>): Line => { ${body} };`;
    expect(messageAbout(page, { 'lib/lines.ts': lines })).toMatch(
      /^page: lineOf\(\) branches on `order`, which .* \(lib\/lines.ts:1\)$/,
    );
  });

  it.each<[string, string, Record<string, string>]>([
    [
      'lineOf(order.paid)',
      "import lineOf from './a.ts';",
      { 'a.ts': 'export default (a) => a ? 1 : 2' },
    ],
    [
      'lineOf(order)',
      "import { made as lineOf } from './a.ts';",
      { 'a.ts': 'const own = (a) => a.paid ? 1 : 2; export { own as made };' },
    ],
    [
      'lines.lineOf(order)',
      "import * as lines from './a.ts';",
      { 'a.ts': 'export function lineOf(a) { return a.paid ? 1 : 2 }' },
    ],
    [
      'lineOf(order)',
      "import { lineOf } from './a.ts';",
      { 'a.ts': "export * from './b.ts'", 'b.ts': 'export const lineOf = (a) => a.paid ? 1 : 2' },
    ],
    [
      'lineOf(order)',
      "import { lineOf } from './a.ts';",
      {
        'a.ts': "import { isPaid } from './b.ts'; export const lineOf = (a) => isPaid(a.payment)",
        'b.ts': 'export const isPaid = (payment) => payment.paid ? 1 : 2',
      },
    ],
    ['lineOf({ order })', 'const lineOf = ({ order: { paid } }) => paid ? 1 : 2;', {}],
    ['lineOf({ order })', 'const lineOf = (parts) => parts.order.paid ? 1 : 2;', {}],
    ['each(order.items, lineOf)', 'const lineOf = (item) => item.paid ? 1 : 2;', {}],
    ['lines.of(order)', 'const lines = { of(a) { return a.paid ? 1 : 2 } };', {}],
    ['lineOf(() => order)', 'const lineOf = (of) => of().paid ? 1 : 2;', {}],
    ['idOf(order) ? 1 : 2', 'const idOf = (a) => a.id;', {}],
    ['idOf(order) ? 1 : 2', 'const idOf = (a) => { return call(getOrder, { id: a.id }) };', {}],
    ['[order, payment].filter((step) => step.paid)', '', {}],
    ['Lines.of(order)', 'class Lines { static of(a) { return a.paid ? 1 : 2 } }', {}],
    ['Object.values({ order, payment }).map((v) => v === null)', '', {}],
    ['Object.entries({ order, payment }).filter(([, v]) => v.paid)', '', {}],
    ['[1, 2].some(() => order.paid)', '', {}],
    ['of()', 'const of = (order = call(getOrder, {})) => order.paid ? 1 : 2;', {}],
    ['of(order)', 'function of(a) { for (const b of [a, a.c]) if (b) return 1; return 2 }', {}],
    ['of(order)', 'function of(a) { switch (true) { case a.paid: return 1 } return 2 }', {}],
    ['of(order)', 'function of(a: Ref<A | null>): 1 | null { return a ? 1 : null }', {}],
    ['of(order)', 'const of = (a: Ref<A>, b?: B): 1 | null => a ? 1 : null', {}],
    ['of(order, payment)', 'const of = (a: Ref<A>, b?: Ref<B>) => b === a.x ? 1 : null', {}],
    ['[order, payment].map((step) => step ? 1 : 2)', '', {}],
  ])('is found through %s; %s', (call, top, others) => {
    expect(messageAbout(file(`return { line: ${call} }`, top), others)).toContain('branches on');
  });

  it('is found where an asynchronous helper waits for it', () => {
    const top = 'const paidOf = async (a) => (await a).paid;';
    expect(messageAbout(file('void paidOf(order); return { order }', top))).toContain(
      'paidOf() awaits `a`, which is a reference',
    );
  });

  it('is found in a composition that a function makes', () => {
    const page = `${head}
      const summary = (route) => defineComposition({ route, compose: ({ params }) => params.id ? 1 : 2 });
      export default summary('GET /a');`;
    expect(messageAbout(page)).toContain('compose() branches on `params.id`');
  });
});

describe('a question that a reference cannot answer', () => {
  it('is refused with its text', () => {
    expect(messageAbout(file('return { paid: Boolean(order.paid) }'))).toBe(
      'page: compose() evaluates `Boolean(order.paid)` on a reference, which has no value until a ' +
        'request is served. Compute it in map(), which gets the value as an input. (page.ts:10)',
    );
  });

  it.each([
    'Array.isArray(order.items)',
    'Object.is(order, null)',
    'Number.isInteger(order.total)',
    'structuredClone(order)',
    'console.log(order)',
    'console.error("order", order.id)',
    "['paid', 'sent'].includes(order.status)",
    "[order.status].includes('paid')",
    '[order.status].indexOf("paid")',
    'statuses.includes(order.status)',
    'labels.get(order.status)',
    'known.has(order.status)',
    'new Set([order.status]).has("paid")',
    'schema.safeParse(order)',
    'assert(order.paid)',
    'assert.equal(order.status, "paid")',
    'isDeepStrictEqual(order, null)',
  ])('%s', (text) => {
    const top =
      'import assert from "node:assert/strict"; import { isDeepStrictEqual } from "node:util"; ' +
      "const schema = z.object({}); const statuses = ['a']; const labels = new Map(); const known = new Set();";
    expect(messageAbout(file(`return { a: ${text} }`, top))).toContain(`evaluates \`${text}\``);
  });
});

describe('a value that differs each time', () => {
  it('is refused with its text and where it belongs', () => {
    expect(messageAbout(file('return { at: new Date() }'))).toBe(
      'page: compose() evaluates `new Date()`, but compose() runs once, at start-up: every request ' +
        'would get the same value. Evaluate it in map(), which runs for each request: map({}, () ' +
        '=> …). (page.ts:10)',
    );
  });

  it.each([
    'new Date()',
    'Date()',
    'Date.now()',
    'performance.now()',
    'Math.random()',
    'crypto.randomUUID()',
    'crypto.getRandomValues(new Uint8Array(2))',
    'globalThis.crypto.randomUUID()',
    'process.hrtime.bigint()',
    'randomUUID()',
    'randomInt(3)',
    'uuid()',
    'nodeCrypto.randomBytes(2)',
    'allCrypto.randomUUID()',
    'perf.now()',
  ])('%s', (text) => {
    const top = `
      import nodeCrypto, { randomInt, randomUUID, randomUUID as uuid } from 'node:crypto';
      import * as allCrypto from 'crypto';
      import { performance as perf } from 'node:perf_hooks';`;
    expect(messageAbout(file(`return { a: ${text} }`, top))).toContain(
      `evaluates \`${text}\`, but`,
    );
  });

  it.each<[string, string, Record<string, string>]>([
    ['now()', 'const now = () => new Date();', {}],
    ['now()', "import { now } from './a.ts';", { 'a.ts': 'export const now = () => Date.now()' }],
    ['each(order.items, () => ({ at: Date.now() }))', '', {}],
    ['["a"].map(() => Math.random())', '', {}],
    ['(() => Math.random())()', '', {}],
  ])('is found in a helper: %s %s', (call, top, others) => {
    expect(messageAbout(file(`return { a: ${call} }`, top), others)).toContain('runs once');
  });
});

describe('try/catch around a step', () => {
  it('is refused with the words that are meant', () => {
    const page = file('try { return call(getOrder, params) } catch { return null }');
    expect(messageAbout(page)).toBe(
      'page: compose() has `call(getOrder, params)` inside try/catch, which can never catch its ' +
        'failure: compose() only describes calls, and they fail while a request is served. Use ' +
        'optional() for null in place of a failed step, or fallback() for a value. (page.ts:10)',
    );
  });

  it.each<[string, string]>([
    ['let a; try { a = call(getOrder, params) } catch { a = null } return { a }', ''],
    ['try { return each(order.items, (i) => call(getOrder, i)) } catch (e) { return [] }', ''],
    [
      'try { return orderOf(params) } catch { return null }',
      'const orderOf = (p) => call(getOrder, p);',
    ],
    ['return orderOf(params)', 'function orderOf(p) { try { return call(getOrder, p) } catch {} }'],
  ])('is found: %s %s', (body, top) => {
    expect(messageAbout(file(body, top))).toContain('inside try/catch');
  });
});

describe('what only looks like a mistake', () => {
  it.each<[string, string?]>([
    // Values that are there at start-up.
    ['return FLAG ? { order } : { payment }', 'const FLAG = process.env.FLAG;'],
    ['const extra = FLAG ? payment : null; return extra ? { extra } : {}'],
    ['let extra = null; if (FLAG) extra = payment; return extra ? { extra } : {}'],
    ['let extra = payment; if (FLAG) extra = null; if (extra) return { extra }; return {}'],
    ['let extra; if (FLAG) { extra = payment } return { ...(extra && { extra }) }'],
    ['const parts = { payment }; if (FLAG) parts.payment = null; return parts.payment ? 1 : 2'],
    ['const parts = { payment, ...OTHERS }; return parts.payment ? 1 : 2'],
    ['const limit = config.limit ?? 20; return { limit }', "import { config } from './config.ts';"],
    ['return ["a", "b"].includes(FLAG) ? order : payment'],
    ['return kinds.has("a") && { order }', 'const kinds = new Set(["a"]);'],
    ['return Object.fromEntries([["a", order]].filter(Boolean))'],
    ['return { list: [FLAG && order, payment].filter(Boolean) }'],
    // A helper may be asked for more or less.
    [
      'return partsOf(order, payment)',
      'const partsOf = (order, payment?: Ref<P>) => payment ? { order, payment } : { order };',
    ],
    [
      'return partsOf({ order, payment })',
      'function partsOf({ payment }: { payment?: Ref<P> }) { return payment === undefined ? {} : { payment } }',
    ],
    [
      'return pageOf(order, query.limit)',
      'const pageOf = (order, limit = 20) => ({ order, limit });',
    ],
    ['return pageOf({ limit: query.limit })', 'const pageOf = ({ limit = 20 }) => ({ limit });'],
    [
      'return { a: of(null), b: of(order) }',
      'const of = (a: unknown, b?: number) => ({ a, b: b ? 1 : 2 });',
    ],
    [
      'const extra = extraOf(); return extra ? { extra } : {}',
      'function extraOf() { if (FLAG) return call(getOrder, {}); }',
    ],
    ['return of(order)', 'const of = (a: Ref<A> | false) => a && { a };'],
    ['return of(order)', 'const of = (a: null | Ref<A>) => a === null ? 1 : { a };'],
    [
      'return of(order)',
      'function of(a?: (x: string, y: number) => Ref<A>): A { return a ? { a } : {} }',
    ],
    ['return of(order)', 'const of = (a = null) => a ? { a } : {};'],
    ['const [a, b] = [...NONE, order, null]; return b ? { a } : {}'],
    [
      'return of({ order, payment })',
      'interface Parts { payment?: P } const of = (parts: Parts) => parts.payment ? { parts } : {};',
    ],
    [
      'return of({ order, payment })',
      'type Parts = { payment?: P }; function of(p: Parts) { const { payment } = p; return payment && { payment } }',
    ],
    // Shadowed names.
    ['return ["a"].map((order) => (order ? 1 : 2))'],
    ['return map(payment, (order) => (order.paid ? order.id : null))'],
    ['return map({ order, payment }, ({ order, payment }) => order.paid && payment.status)'],
    ['return map(order, (o) => { const payment = o.payment; return payment ? 1 : 2 })'],
    [
      'return map(order, (o) => { for (const payment of o.payments) if (payment) return 1; return 2 })',
    ],
    [
      'return map(order, (o) => { try { return JSON.parse(o.text) } catch (payment) { return payment.message } })',
    ],
    ['return map(order, (o) => { function payment() { return 1 } return payment() })'],
    ['return map(order, (o) => ({ payment: o.payment, params: 1 }))'],
    ['return map(order, (o) => o.payment.status)'],
    ['return map(order, of)', 'const of = (order) => order.paid ? 1 : 2;'],
    // Computations that belong into `map`.
    [
      'return map(order, (o) => ({ late: new Date(o.eta) < new Date(), at: Date.now(), id: Math.random() }))',
    ],
    ['return map({}, () => randomUUID())', "import { randomUUID } from 'node:crypto';"],
    ['return map(order, ageOf)', 'const ageOf = (o) => Date.now() - o.at;'],
    ['return mapped(order, () => Date.now())', 'const mapped = (ref, fn) => map(ref, fn);'],
    ['return map(order, (o) => Boolean(o.paid) && Array.isArray(o.items) && console.log(o))'],
    [
      'return map(order, (o) => ["a"].includes(o.status) && labels.get(o.status))',
      'const labels = new Map();',
    ],
    [
      'const limit = 3; const names = ["a"]; return map(order, (o) => o.total > limit && names.includes(o.id))',
    ],
    // Fixed moments, and what is decided once.
    ['return { since: new Date(0).toISOString(), year: new Date("2026-01-01").getFullYear() }'],
    ['return { at: startedAt }', 'const startedAt = new Date().toISOString();'],
    ['return { n: new Date.Format() }'],
    ['return { at: clock.now() }', 'const clock = { now: () => 1 };'],
    ['return { at: Date.now() }', 'const Date = { now: () => 1 };'],
    ['const later = () => new Date(); return { order, n: later.length }'],
    // Other libraries' words.
    [
      'const list = lodashMap(["a"], (x) => x); return list ? { list } : {}',
      "import { map as lodashMap } from 'lodash';",
    ],
    [
      'const list = pick({ a: 1 }, "a"); return list.a ? { list } : {}',
      "import { pick } from 'lodash';",
    ],
    ['const list = _.map(["a"], (x) => x); return list ? { list } : {}', "import _ from 'lodash';"],
    ['const made = of.call(null, 1); return made ? { made } : {}', 'const of = (n) => n;'],
    // Other try blocks.
    ['let limit = 3; try { limit = JSON.parse(TEXT) } catch {} return { order, limit }'],
    ['try { return { order: call(getOrder, {}) } } finally { done() }', 'const done = () => 1;'],
    ['return Object.entries({ order, n: 1 }).map(([k, v]) => [k, v ? v : 0])'],
    [
      'return { a: Lines.of(order) }',
      'class Lines { static of(a) { return { a } } of(a) { return a ? 1 : 2 } }',
    ],
    // Objects of one's own.
    [
      'return payments.get(params.id)',
      'const payments = { get: (orderId) => call(paymentOf, { orderId }) };',
    ],
    ['return includes.includes(order)', 'const includes = { includes: (a) => ({ a }) };'],
    // Functions that call each other, or themselves.
    ['return tree(order)', 'const tree = (node) => each(node.children, (child) => tree(child));'],
    ['return ping(order)', 'const ping = (a) => pong(a); const pong = (a) => ping(a);'],
  ])('is left alone: %s %s', (body, top = '') => {
    expect(said(file(body, top))).toBe('');
  });

  it('is left alone where a file imports itself, or cannot be read', () => {
    const top = "import { a } from './page.ts'; import { b } from './none.ts'; import './x.css';";
    expect(said(file('return { a: a(order), b: b(order) }', top))).toBe('');
    expect(said('')).toBe('');
  });

  it('does not take long for helpers that call each other very often', () => {
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const top = names
      .map((name, index) => `const ${name} = (a) => [f${index + 1}(a), f${index + 1}(a)];`)
      .join('\n');
    const chain = `z${'.optional()'.repeat(200)}`;
    expect(said(file(`return { a: f0(order), b: ${chain} }`, top))).toBe('');
  });
});

describe('answer()', () => {
  it('is read like the rest of compose()', () => {
    const { isRead } = refuseMistakes('page', () => answer({ id: 'a' }, { status: 201 }));
    expect(isRead).toBe(true);
    const paid = 'return answer({ order }, { status: order.paid ? 201 : 202 });';
    expect(messageOf(() => said(file(paid)))).toContain('compose() branches on `order.paid`');
  });
});
