/** `pages`: asks for one page of a list after the other, until there is no next one. */
import type { PagesRule } from '../dsl/pages-rule.ts';
import { UpstreamError } from '../errors.ts';
import type { CallStep } from '../plan/plan.ts';
import { callError } from '../upstream/call.ts';
import type { Call } from '../upstream/call.ts';
import { saysAbsent } from '../upstream/exchange/absent.ts';
import type { NextPage, Page, PageCall } from '../upstream/exchange/next-page.ts';
import type { PageRequest } from '../upstream/upstreams.ts';
import { take } from './call-end.ts';
import { failureAround } from './frame.ts';
import type { Work } from './work.ts';

interface List {
  readonly work: Work;
  readonly step: CallStep;
  readonly pages: PagesRule;
}

/** @throws whatever a page fails with: a list without it would be shorter than it is. */
export async function allPages(list: List, args: Call['args']): Promise<unknown[]> {
  const { work, step, pages } = list;
  const items: unknown[] = [];
  const asked = new Set<string>();
  let at: PageCall = { args };
  for (let number = 1; ; number += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one is
    const page = await pageAt(list, { at, number, before: items.length });
    for (const item of page?.items ?? []) items.push(item);
    if (page?.next === undefined) return items;
    asked.add(page.name);
    refuseFurther(step, page.next, { asked, isLast: number === pages.maxPages });
    const failure = failureAround(work.frame);
    // No caller waits for the list any more.
    if (failure !== undefined) throw failure.error;
    if (work.isOver) return items;
    at = page.next;
  }
}

type Asking = Pick<PageRequest, 'at' | 'number' | 'before'>;

/** A page; `undefined` if there is none, where the one before may have been the last. */
async function pageAt({ work, step, pages }: List, asking: Asking): Promise<Page | undefined> {
  const { operation, conceals } = step;
  const { calls, onCallEnd } = work.frame.execution;
  const { trace } = work;
  try {
    const page = await calls.page({ operation, pages, trace, conceals, ...asking });
    take(work, step, page.reply, 1);
    return page;
  } catch (failure) {
    onCallEnd?.({ operation, reply: undefined, failure, count: 1 });
    if (asking.number === 1) throw failure;
    if (asking.at.mayBeNone === true && isAbsent(failure)) return undefined;
    throw ofService(step, failure, asking.number);
  }
}

function refuseFurther(
  step: CallStep,
  next: NextPage,
  { asked, isLast }: { readonly asked: ReadonlySet<string>; readonly isLast: boolean },
): void {
  if (asked.has(next.name))
    throw callError(step, 'invalid-body', 'names a next page that was asked for already');
  if (!isLast) return;
  const message = `has more than ${step.pages?.maxPages} pages (maxPages)`;
  throw callError(step, 'invalid-body', message);
}

function isAbsent(failure: unknown): boolean {
  if (!(failure instanceof UpstreamError) || failure.kind !== 'status') return false;
  return saysAbsent(failure.status);
}

/**
 * The failure of a later page, which the service has named: the client has not asked for it, so a
 * status or an argument that would be the client's mistake on the first page is the service's.
 */
function ofService(step: CallStep, failure: unknown, number: number): unknown {
  if (!(failure instanceof UpstreamError)) return failure;
  const { kind, status = 0, rejectedCredentials } = failure;
  const isOfClient = status >= 400 && status <= 499 && status !== 429;
  const isRefused = kind === 'status' && isOfClient && rejectedCredentials === undefined;
  if (!isRefused && kind !== 'invalid-argument') return failure;
  const what = isRefused ? `was answered ${status}` : 'cannot be asked for';
  const message = `page ${number}, which the page before names, ${what}`;
  return callError(step, 'invalid-body', message, { cause: failure });
}
