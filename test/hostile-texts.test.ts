/** ReDoS and its like: long texts of clients and services cost no more than their length. */
import { expect, it } from 'vitest';
import { normaliserOf } from '../src/dsl/compare.ts';
import { readCookies } from '../src/http/cookies.ts';
import { decodedWhole, traversalProblem } from '../src/path-segment.ts';
import { repeats } from '../src/upstream/credentials/echo.ts';
import { fieldsIn } from '../src/upstream/exchange/problem-fields.ts';
import { parsePath } from '../src/dsl/path.ts';
import { cpuMsOf } from './support/cpu-time.ts';

const most = 200_000;
const path = (text: string) => parsePath(text, 'test', 'test');
const rule = { errors: path('errors'), pointer: path('at'), detail: path('text') };
const fieldAt = (at: string) => fieldsIn(rule, { errors: [{ at, text: 'x' }] });

it.each<[string, string, (text: string) => unknown]>([
  ['a cookie with spaces', `a${' '.repeat(most)}b=c`, (text) => readCookies(text, new Set(['c']))],
  ['a key with zeros', `1${'0'.repeat(most)}1`, (text) => normaliserOf('number')?.(text)],
  ['a key with zeros behind its point', `1.${'0'.repeat(most)}1`, normaliserOf('number') ?? String],
  ['a path of many layers', `%${'25'.repeat(most)}`, (text) => traversalProblem(text)],
  ['one of other layers', `%u0025${'u0025'.repeat(most)}`, (text) => traversalProblem(text)],
  ['an echo of many layers', `%${'25'.repeat(most)}`, (text) => repeats(text, ['secret'])],
  ['a pointer with brackets', '['.repeat(most), fieldAt],
  ['a pointer with quotes', "['".repeat(most), fieldAt],
])('%s is read in linear time', (_, text, read) => {
  expect(cpuMsOf(() => read(text))).toBeLessThan(1_000);
});

it('a text with more layers of encoding than anybody removes is not taken for harmless', () => {
  const text = `%${'25'.repeat(30)}2e`;
  expect(traversalProblem(text)).toBe('is encoded more than 20 times');
  expect(decodedWhole(text)).toBeUndefined();
  expect(repeats(text, ['secret'])).toBe(true);
});
