/** Where bytes can be: alone in a response, and as a body; everywhere else they are refused. */
import {
  answer,
  bytes,
  call,
  each,
  fallback,
  given,
  map,
  multipart,
  operation,
  optional,
  pick,
} from 'plait';
import type { Ref } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/plan/compile.ts';
import { loadErrorOf, messageOf, page, things } from '../support/page.ts';

const getFile = operation(things, { name: 'getFile', route: 'GET /file', response: bytes() });
const getParts = operation(things, {
  name: 'getParts',
  route: 'GET /parts',
  response: { body: bytes(), status: z.int() },
});
const getList = operation(things, {
  name: 'getList',
  route: 'GET /list',
  response: z.array(z.string()),
});
const scan = operation(things, {
  name: 'scan',
  route: 'POST /scan',
  body: bytes(),
  response: z.null(),
});
const send = operation(things, {
  name: 'send',
  route: 'POST /send/:id',
  body: z.unknown(),
  response: z.null(),
});

const upload = operation(things, {
  name: 'upload',
  route: 'POST /upload',
  body: multipart(z.object({ file: bytes(), title: z.string() })),
  response: z.null(),
});

const file = () => call(getFile, {});
const parts = () => call(getParts, {});

const declare = (config: object) =>
  messageOf(() =>
    operation(things, { name: 'x', route: 'GET /x', response: bytes(), ...config } as never),
  );

describe('bytes', () => {
  it.each<[string, () => unknown]>([
    ['a field of a response', () => ({ file: file() })],
    ['an item of a list', () => [file()]],
    ['a part of an answer with parts', () => parts()],
    ['a field after optional()', () => ({ file: optional(file()) })],
    ['a field after fallback()', () => ({ file: fallback(file(), null) })],
    ['a field after a second source', () => ({ a: fallback(parts(), () => parts()) })],
    ['a second source', () => ({ a: fallback(call(getList, {}), () => file()) })],
    ['a field after given()', () => ({ file: given(call(getList, {}), () => file()) })],
    ['a field inside given()', () => given(call(getList, {}), () => ({ file: file() }))],
    ['a field after pick()', () => ({ file: pick(parts(), 'body').body })],
    ['what is left by pick()', () => pick(parts(), 'body')],
    ['the items of each()', () => each(call(getList, {}), () => file())],
    ['an answer with more', () => answer({ file: file() }, { status: 201 })],
  ])('are refused as %s', (_, compose) => {
    expect(loadErrorOf(page(compose as never))).toBe(
      'page: bytes cannot be a part of JSON. Return them alone.',
    );
  });

  it.each<[string, () => unknown]>([
    ['a response', file],
    ['a part of an answer', () => parts().body],
    ['a part that pick() leaves', () => pick(parts(), 'body').body],
    ['a tolerated failure', () => optional(file())],
    ['what is given', () => given(call(getList, {}), () => file())],
    ['a second source', () => fallback(file(), () => parts().body)],
    ['an answer of another type', () => answer(file(), { headers: { 'content-type': 'a/b' } })],
    ['a part of a body', () => call(upload, { body: { file: file(), title: 'a' } })],
    ['a body', () => ({ scanned: call(scan, { body: file() }), status: parts().status })],
  ])('are taken as %s', (_, compose) => {
    expect(compile({ name: 'page', composition: page(compose as never) }).name).toBe('page');
  });

  it.each<[string, () => unknown, string]>([
    [
      'a path',
      () => call(send, { id: file() as unknown as Ref<string>, body: 1 }),
      'argument "id" of call(send)',
    ],
    [
      'JSON',
      () => call(send, { id: 'a', body: { file: file() } }),
      'argument "body" of call(send)',
    ],
    [
      'a whole body of parts',
      () => call(upload, { body: file() as never }),
      'argument "body" of call(upload)',
    ],
    [
      'more than bytes',
      () => call(scan, { body: parts() as never }),
      'argument "body" of call(scan)',
    ],
  ])('are refused as an argument for %s', (_, compose, words) => {
    expect(loadErrorOf(page((() => ({ done: compose() })) as never))).toContain(
      `page: ${words} cannot be bytes. Only a body of bytes() or multipart() takes them.`,
    );
  });

  it('are neither cached, nor looked into', () => {
    expect(declare({ cache: { ttlMs: 1 } })).toBe(
      'things.x: bytes are passed on, and never cached. Remove cache.',
    );
    const failure = { body: z.object({ code: z.literal(1) }), status: 404 };
    expect(declare({ failure })).toBe(
      'things.x: failure looks into the body, but bytes are passed on unread.',
    );
  });

  it('are no result of a function', () => {
    // @ts-expect-error -- JSON cannot carry it
    expect(() => page(() => map(file(), (same) => same))).not.toThrow();
  });
});
