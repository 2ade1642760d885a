/** The words used inside `compose`: each adds a node and returns a reference to its value. */
import { CompositionError } from '../errors.ts';
import { currentDraft } from './draft.ts';
import { takesTime } from './node-traits.ts';
import type { Operation } from './operation.ts';
import type { Carried, Carryable } from './carried.ts';
import type { Reference, Ref, Resolved, WiredParts, Shared } from './reference.ts';
import { checkedArguments } from './call-arguments.ts';
import { concurrencyOf } from './concurrency.ts';
import type { EachOptions } from './concurrency.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import { recordBlock } from './record-block.ts';
import type { Part } from './record-block.ts';
import { toSource, toTemplate } from './template.ts';

/** The arguments of a call: values, references, or objects and lists of both. */
export type Bindings<Args> = WiredParts<Args>;

/**
 * Calls an operation. It starts as soon as all values that its arguments refer to are known; calls
 * that do not refer to each other run concurrently. If it fails, the request fails, unless
 * `optional` or `fallback` tolerates that.
 *
 * @example
 * const order = call(getOrder, { orderId: params.orderId });
 */
export function call<Args, Result>(
  operation: Operation<Args, Result>,
  args: Bindings<NoInfer<Args>>,
): Ref<Result> {
  const draft = currentDraft('call');
  const checked = checkedArguments(draft, 'call', { operation, args });
  return draft.add({ kind: 'call', operation, args: checked });
}

/**
 * Runs `body` only if the value is neither `null` nor `undefined`. Otherwise the steps inside are
 * skipped and the result is `null`, which is not a failure.
 *
 * @example
 * const events = given(shipment, ({ trackingNumber }) => call(track, { trackingNumber }));
 */
export function given<T, W>(
  value: Reference<T>,
  body: (present: Ref<NonNullable<T>>) => W & Part<W>,
): Ref<Resolved<W> | Skipped<T>> {
  const draft = currentDraft('given');
  const on = toSource(draft, value, 'given(): its first argument');
  const { item, block } = recordBlock(draft, 'given', body);
  return draft.add({ kind: 'given', on, item, block });
}

/**
 * Runs `body` for all items of a list concurrently and returns the list of results in the order of
 * the items. A list longer than `max` (default 100) is an error; it is never truncated.
 * `concurrency` bounds how many calls of the body are under way at a time, nested ones included;
 * lookups do not count, since they are batched (default: no bound).
 *
 * @example
 * const lines = each(orders, (order) => ({
 *   id: order.id,
 *   payment: call(paymentOf, { orderId: order.id }),
 * }));
 */
export function each<T, W>(
  list: Reference<readonly T[]>,
  body: (item: Ref<T>) => W & Part<W>,
  options: EachOptions = {},
): Ref<Resolved<W>[]> {
  const draft = currentDraft('each');
  refuseUnknownKnobs(options, ['max', 'concurrency'], `${draft.place}: each()`);
  const max = positive(options.max ?? 100, 'each(): max', draft.place);
  const over = toSource(draft, list, 'each(): its first argument');
  const { item, block } = recordBlock(draft, 'each', body);
  const bound = concurrencyOf(draft, block, options);
  return draft.add({ kind: 'each', over, max, ...bound, item, block });
}

/**
 * Orders effects: the calls that `body` makes begin only when `step` has succeeded, although they
 * read nothing of its value. Without it, writes that do not refer to each other run in parallel.
 * Returns what `body` returns.
 *
 * @example
 * const order = call(placeOrder, { body });
 * const invoice = after(order, () => call(sendInvoice, { body }));
 */
export function after<T>(step: Reference<unknown>, body: () => T): T {
  const draft = currentDraft('after');
  const { node } = toSource(draft, step, 'after(): its first argument');
  const before = draft.nodes.length;
  const result = draft.after(node, body);
  const isUseful = draft.nodes.slice(before).some(takesTime);
  if (isUseful) return result;
  throw new CompositionError(
    draft.place,
    'after() was given a function that calls nothing. Make the calls that have to wait inside it: ' +
      'after(step, () => call(…)).',
  );
}

/**
 * Computes a value from others with an ordinary synchronous function. Its inputs are passed in by
 * name, which keeps dependencies visible. They are shared with the rest of the response and with
 * other requests, so they must not be changed: `toSorted`, not `sort`.
 *
 * @example
 * const late = map({ shipment, order }, ({ shipment, order }) =>
 *   order.status !== 'delivered' && shipment.eta === null);
 */
export function map<const I, U>(
  inputs: I,
  compute: (values: Shared<Resolved<I>>) => Synchronous<U>,
): Ref<Carried<U>> {
  const draft = currentDraft('map');
  if (typeof compute !== 'function') {
    throw new CompositionError(
      draft.place,
      'map() needs a function as its second argument: map(inputs, (values) => …).',
    );
  }
  return draft.add({
    kind: 'map',
    inputs: toTemplate(draft, inputs, 'map(): its inputs'),
    compute,
  });
}

/**
 * Keeps only the named fields of an object, or of every object in a list.
 *
 * @example
 * pick(order, 'id', 'status', 'total')
 */
export function pick<T, const K extends ShapeKeys<T>>(
  value: Reference<T>,
  ...keys: readonly K[]
): Ref<Picked<T, K>> {
  return shape('pick', value, keys);
}

/**
 * Drops the named fields of an object, or of every object in a list.
 *
 * @example
 * omit(customer, 'email')
 */
export function omit<T, const K extends ShapeKeys<T>>(
  value: Reference<T>,
  ...keys: readonly K[]
): Ref<Omitted<T, K>> {
  return shape('omit', value, keys);
}

/** The result of a skipped `given`; `never` for a value that is always present. */
type Skipped<T> = null extends T ? null : undefined extends T ? null : never;

type Synchronous<U> =
  U extends PromiseLike<unknown>
    ? 'map() takes a synchronous function; use call() for I/O'
    : Carryable<U>;

type ElementOf<T> = NonNullable<T> extends readonly (infer Item)[] ? Item : NonNullable<T>;
type ShapeKeys<T> = Extract<keyof ElementOf<T>, string>;
type Shaped<T, Of> = T extends null | undefined ? T : T extends readonly unknown[] ? Of[] : Of;
type Picked<T, K extends ShapeKeys<T>> = Shaped<T, Pick<ElementOf<T>, K>>;
type Omitted<T, K extends ShapeKeys<T>> = Shaped<T, Omit<ElementOf<T>, K>>;

function shape<T>(
  mode: 'pick' | 'omit',
  value: Reference<unknown>,
  keys: readonly string[],
): Ref<T> {
  const draft = currentDraft(mode);
  const from = toSource(draft, value, `${mode}(): its first argument`);
  if (mode === 'pick' && keys.includes('__proto__')) {
    throw new CompositionError(
      draft.place,
      'pick() names a field "__proto__", which is not an ordinary field in JavaScript. Rename it.',
    );
  }
  return draft.add({ kind: 'shape', from, mode, keys: [...keys] });
}
