/** A page of a list → its items, and where the next page is. */
import { queryOfAuth } from '../../dsl/credentials.ts';
import type { NextRule, PagesRule } from '../../dsl/pages-rule.ts';
import { readPath } from '../../dsl/path.ts';
import type { Path } from '../../dsl/path.ts';
import { isExactNumber } from '../../exact-number.ts';
import type { Call, Reply } from '../call.ts';
import { callError } from '../call.ts';
import { anySecret } from '../credentials/echo.ts';
import { nextLinks } from './link-header.ts';
import { ownTarget, whereTo, withoutEchoes } from './own-location.ts';
import type { Base } from './own-location.ts';
import { targetWithQuery } from './request.ts';

/** The call for a page: its arguments, or the path and query that the page before gave. */
export interface PageCall {
  readonly args: Call['args'];
  readonly target?: string | undefined;
  /** Whether the page before may have been the last, so that there need be nothing here. */
  readonly mayBeNone?: boolean;
}

/** That of a next page, with a name that no other page of the list has. */
export interface NextPage extends PageCall {
  readonly name: string;
}

export interface Page {
  readonly reply: Reply;
  readonly items: readonly unknown[];
  readonly name: string;
  /** Absent for the last page. */
  readonly next: NextPage | undefined;
}

/** The page that was asked for. */
export interface Asked {
  readonly pages: PagesRule;
  readonly at: PageCall;
  /** Which one it is, from 1. */
  readonly number: number;
  /** The number of items on the pages before. */
  readonly before: number;
  /** Those of the service: a next page is at one of them. */
  readonly addresses: readonly Pick<Base, 'origin' | 'prefix'>[];
  /** Whether a text repeats credentials of the gateway's own. */
  readonly isSecret: (text: string) => boolean;
  /** Whether a part of an address does, which is then left out. */
  readonly isKey: (text: string) => boolean;
}

interface Answered extends Asked {
  readonly call: Call;
  readonly reply: Reply;
  readonly items: readonly unknown[];
}

/** @throws UpstreamError of kind `invalid-body` if it cannot be told whether the list goes on. */
export function pageOf(call: Call, reply: Reply, asked: Asked): Page {
  const items = itemsIn(call, reply.value, asked.pages.items);
  const answered = { ...asked, call, reply, items };
  refuseGone(answered);
  return { reply, items, ...afterwards(answered) };
}

/** A list that ends with a page that is not there would be shorter than it is. */
function refuseGone({ call, reply, at, number }: Answered): void {
  if (number === 1 || reply.status <= 299 || at.mayBeNone) return;
  throw invalid(call, `${reply.status} to a page that the one before names`);
}

function itemsIn(call: Call, value: unknown, path: Path | undefined): readonly unknown[] {
  const list = path === undefined ? value : readPath(value, path);
  if (Array.isArray(list)) return list;
  // As for lookups: `null` is an empty list in Go and the like.
  if (list === null || list === undefined) return [];
  throw invalid(call, path === undefined ? 'no list' : `no list at "${path.text}"`);
}

function afterwards(answered: Answered): Pick<Page, 'name' | 'next'> {
  const { call, pages } = answered;
  const { next: rule } = pages;
  switch (rule.kind) {
    case 'link':
    case 'url': {
      const name = targetWithQuery({ ...call, keys: undefined });
      const text = rule.kind === 'link' ? linkIn(answered) : addressAt(answered, rule.at);
      const own = text && withoutEchoes(text, answered.isKey);
      const target = own && followable(answered, own, answered.reply.target ?? name);
      return { name, next: target ? { args: unwritten(call), target, name: target } : undefined };
    }
    case 'cursor': {
      const cursor = scalarAt(answered, rule.at);
      const hasNext = cursor !== undefined && cursor !== '';
      const name = String(call.args[rule.argument] ?? '');
      return { name, next: hasNext ? nextBy(call, rule, cursor) : undefined };
    }
    case 'offset':
    case 'page':
      return counted(answered, rule);
    default:
      return rule satisfies never;
  }
}

/** The arguments that an address does not contain. */
function unwritten({ args, operation }: Call): Call['args'] {
  const { body, headers } = args;
  return {
    ...(operation.body !== undefined && { body }),
    ...(operation.headers !== undefined && headers !== undefined && { headers }),
  };
}

type CountedRule = Extract<NextRule, { readonly argument: string; readonly total: unknown }>;

/** By offsets and page numbers: up to the total, or without that until a page is empty. */
function counted(answered: Answered, rule: CountedRule): Pick<Page, 'name' | 'next'> {
  const { call, items, at, number, before } = answered;
  const start = numberIn(call, rule);
  const name = String(start);
  const isOffset = rule.kind === 'offset';
  const following = nextBy(call, rule, start + (isOffset ? items.length : 1));
  // From a later page on, nothing says how many items are on those before.
  const isWhole = isOffset || start - number + 1 <= 1;
  const total = rule.total && isWhole ? totalAt(answered, rule.total) : undefined;
  const reached = items.length + (isOffset ? start : before);
  const isEmpty = items.length === 0;
  if (isEmpty && (at.mayBeNone || total === undefined)) return { name, next: undefined };
  if (reached === total) return { name, next: undefined };
  if (isEmpty && isOffset)
    throw invalid(call, `no items at offset ${start}, although there are ${total}`);
  // A total of fewer items than came is out of date, or is another number.
  return { name, next: { ...following, mayBeNone: total === undefined || reached > total } };
}

function nextBy(
  { args }: Call,
  { argument, asText }: { readonly argument: string; readonly asText: boolean },
  value: unknown,
): NextPage {
  const text = String(value);
  return { args: { ...args, [argument]: asText ? text : value }, name: text };
}

/** The offset or page number that was asked for; services count pages from 1. */
function numberIn(call: Call, { kind, argument }: CountedRule): number {
  const given = call.args[argument] ?? (kind === 'offset' ? 0 : 1);
  const number = wholeNumber(given);
  if (number !== undefined) return number;
  const problem = `argument "${argument}" is not a whole number`;
  throw callError(call, 'invalid-argument', problem, { argument });
}

function totalAt(answered: Answered, path: Path): number | undefined {
  const total = readPath(answered.reply.value, path);
  if (total === null || total === undefined) return undefined;
  const number = wholeNumber(total);
  if (number !== undefined) return number;
  throw invalid(answered.call, `no whole number at "${path.text}"`);
}

function wholeNumber(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^\d+$/.test(value);
  if (typeof value !== 'number' && !isText && !isExactNumber(value)) return undefined;
  const number = Number(String(value));
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** The value at a path; `undefined` if there is none. */
function scalarAt({ call, reply }: Answered, path: Path): unknown {
  const value = readPath(reply.value, path);
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string' || typeof value === 'number' || isExactNumber(value)) return value;
  throw invalid(call, `something at "${path.text}" that is neither text nor a number`);
}

function addressAt(answered: Answered, path: Path): string | undefined {
  const value = scalarAt(answered, path);
  return value === undefined ? undefined : String(value);
}

function linkIn({ call, reply }: Answered): string | undefined {
  const header = reply.headers['link'];
  if (header === undefined) return undefined;
  const links = nextLinks(typeof header === 'string' ? header : header.join(', '));
  if (links === undefined) throw invalid(call, 'a Link header that cannot be read');
  if (links.length > 1) throw invalid(call, 'Links to several next pages');
  return links[0];
}

/** The target of a next page, at an address of the service and below its prefix. */
function followable(
  { call, addresses, isSecret: isOurs }: Answered,
  text: string,
  target: string,
): string {
  const keyParameter = queryOfAuth(call.operation.auth);
  const bases = addresses.map(({ origin, prefix }) => ({ origin, prefix, target, keyParameter }));
  for (const base of bases) {
    const found = ownTarget(text, base);
    if (found !== undefined) return found;
  }
  const [first] = bases;
  const isSecret = anySecret(call, isOurs);
  const where = first === undefined ? 'elsewhere' : `at ${whereTo(text, first, isSecret)}`;
  throw invalid(call, `a next page that is not below an address of the service: ${where}`);
}

function invalid(call: Call, found: string): Error {
  return callError(call, 'invalid-body', `answered with ${found}`, { reached: 'body' });
}
