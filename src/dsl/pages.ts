/** The word `pages`: all items of a list that a service gives in pages. */
import { checkedArguments } from './call-arguments.ts';
import { currentDraft } from './draft.ts';
import type { Operation } from './operation.ts';
import { checkedPages } from './pages-rule.ts';
import type { ItemAt, Next, PagesConfig } from './pages-rule.ts';
import type { PathOf } from './path.ts';
import type { Ref, WiredParts } from './reference.ts';

/** The options of `pages`, but for `items`. */
export interface PagesOptions<Args, Result> {
  /** How the list goes on; see `Next`. */
  readonly next: Next<Args, Result>;
  /** The most pages. A list that has more is a failure; it is never truncated. Default 10. */
  readonly maxPages?: number;
}

/**
 * Calls an operation for one page after the other and returns the list of all items. It is one
 * step, which fails with any page. Each page is a call of its own for retries, caches and the like;
 * the deadline is that of the request for all of them together.
 *
 * @example
 * const orders = pages(listOrders, { customer: params.id }, {
 *   items: 'data.orders', next: { cursor: 'meta.next', query: 'cursor' }, maxPages: 5,
 * });
 */
export function pages<Args, Item>(
  operation: Operation<Args, readonly Item[] | null>,
  args: WiredParts<NoInfer<Args>>,
  options: PagesOptions<NoInfer<Args>, readonly NoInfer<Item>[]>,
): Ref<Item[]>;
export function pages<Args, Result, const Items extends PathOf<Result, readonly unknown[]>>(
  operation: Operation<Args, Result>,
  args: WiredParts<NoInfer<Args>>,
  options: PagesOptions<NoInfer<Args>, NoInfer<Result>> & {
    /** The path to the list of a page; left out if the value of the operation is the list. */
    readonly items: Items;
  },
): Ref<ItemAt<Result, Items>[]>;
export function pages(operation: Operation, args: object, options: PagesConfig): Ref<unknown[]> {
  const draft = currentDraft('pages');
  const rule = checkedPages(operation, options, draft.place);
  const checked = checkedArguments(draft, 'pages', { operation, args });
  return draft.add({ kind: 'call', operation, args: checked, pages: rule });
}
