/** The words that tolerate the failure of a step: `optional` and `fallback`. */
import { CompositionError } from '../errors.ts';
import type { ExecutionErrorKind, UpstreamErrorKind } from '../errors.ts';
import { currentDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import type { Json, Node } from './node.ts';
import { takesTime, traitsOf } from './node-traits.ts';
import { recordBlock } from './record-block.ts';
import type { Part } from './record-block.ts';
import { pointerOf } from './reference.ts';
import type { Reference, Ref, Resolved } from './reference.ts';
import { toSource, toTemplate } from './template.ts';

/** The options of `optional` and `fallback`. */
export interface GuardOptions {
  /**
   * The most that the step may take, in milliseconds from when it begins. Then it counts as failed,
   * and nothing more of it begins. Default: until the request's deadline, which then has passed.
   */
  readonly withinMs?: number;
}

/**
 * Tolerates the failure of a step: its value is then `null`, and the response is marked as
 * degraded.
 *
 * @example
 * const payment = optional(call(paymentOf, { orderId: params.orderId }));
 */
export function optional<T>(step: Reference<T>, options: GuardOptions = {}): Ref<T | null> {
  return guard('optional', { step, instead: null, options });
}

/** Why a step has failed, for the second source that `fallback` asks then. */
export interface StepFailure {
  /** The `reason` in `Plait-Degraded`. */
  readonly kind: FailureKind;
  /** The status of the service's answer if that is the reason, otherwise `null`. */
  readonly status: number | null;
}

/** The kinds of failures after which a second source may be asked. */
export type FailureKind = Exclude<
  UpstreamErrorKind | ExecutionErrorKind,
  'aborted' | 'deadline' | 'disconnected' | 'shed' | 'response-mismatch'
>;

/**
 * Tolerates the failure of a step: its value is then what `second` returns, whose calls begin only
 * after the failure. If they fail too, the step has failed. They never begin when a write of the
 * step may have been done, at the request's deadline, or under overload. The response is marked as
 * degraded.
 *
 * @example
 * const payment = fallback(call(paymentOf, { orderId }), () => call(archivedOf, { orderId }));
 */
export function fallback<T, W>(
  step: Reference<T>,
  second: (failure: Ref<StepFailure>) => W & Part<W>,
  options?: GuardOptions,
): Ref<T | Resolved<W>>;

/**
 * Tolerates the failure of a step: its value is then `value`, which is plain data, and the response
 * is marked as degraded.
 *
 * @example
 * const shipment = fallback(call(shipmentOf, { orderId }), { carrier: 'unknown', eta: null });
 */
export function fallback<T, const V extends Json>(
  step: Reference<T>,
  value: V,
  options?: GuardOptions,
): Ref<T | Widened<V>>;

export function fallback(
  step: Reference<unknown>,
  value: Json | ((failure: Ref<StepFailure>) => unknown),
  options: GuardOptions = {},
): Ref<unknown> {
  // A reference is a function, too.
  return typeof value !== 'function' || pointerOf(value) !== undefined
    ? guard('fallback', { step, instead: value, options })
    : secondSource(step, value, options);
}

// The compiler may try `Json` itself for `V`. That type is recursive without end, so it is left
// alone.
type Widened<V> = [Json] extends [V]
  ? V
  : V extends string
    ? string
    : V extends number
      ? number
      : V extends boolean
        ? boolean
        : V extends null
          ? null
          : { -readonly [K in keyof V]: Widened<V[K]> };

type Mode = 'optional' | 'fallback';

interface Guarded {
  readonly step: Reference<unknown>;
  readonly instead: unknown;
  readonly options: GuardOptions;
}

function guard<T>(mode: Mode, { step, instead, options }: Guarded): Ref<T> {
  const draft = currentDraft(mode);
  const { guarded, node } = stepOf(draft, mode, step);
  const template = toTemplate(draft, instead, `${mode}(): its value`);
  if (template.kind !== 'literal' || template.value === undefined) {
    throw new CompositionError(
      draft.place,
      `${mode}(): its value must be plain data, without references. Use given() or map() to ` +
        'choose between steps, or a function to call another: fallback(step, () => call(…)).',
    );
  }
  const within = checkedWithin(draft, mode, { node, options });
  return draft.add({ kind: 'guard', mode, guarded, instead: template.value, ...within });
}

function secondSource(
  step: Reference<unknown>,
  second: (failure: Ref<StepFailure>) => unknown,
  options: GuardOptions,
): Ref<unknown> {
  const draft = currentDraft('fallback');
  const { guarded, node } = stepOf(draft, 'fallback', step);
  const within = checkedWithin(draft, 'fallback', { node, options });
  const before = draft.nodes.length;
  const { item, block } = recordBlock(draft, 'fallback', second);
  if (draft.nodes.slice(before).some(takesTime))
    return draft.add({ kind: 'instead', guarded, item, block, ...within });
  throw new CompositionError(
    draft.place,
    'fallback() was given a function that calls nothing. Give the value itself: ' +
      'fallback(step, value).',
  );
}

function stepOf(draft: Draft, mode: Mode, step: Reference<unknown>) {
  const source = toSource(draft, step, `${mode}(): its first argument`);
  const node = draft.nodes[source.node];
  if (source.path.length === 0 && node !== undefined && traitsOf(node).isStep)
    return { guarded: source.node, node };
  throw new CompositionError(
    draft.place,
    `${mode}() was given ${draft.describe(source)}, which is not a step. Give it the result ` +
      `of call(), each(), given() or map() itself: ${mode}(call(…)).`,
  );
}

function checkedWithin(
  draft: Draft,
  mode: Mode,
  { node, options }: { readonly node: Node; readonly options: GuardOptions },
): GuardOptions {
  refuseUnknownKnobs(options, ['withinMs'], `${draft.place}: ${mode}()`);
  const { withinMs } = options;
  if (withinMs === undefined) return {};
  if (takesTime(node)) return { withinMs: positive(withinMs, `${mode}(): withinMs`, draft.place) };
  throw new CompositionError(
    draft.place,
    `${mode}(): a ${node.kind} takes no time, so withinMs bounds nothing. Put it on the call.`,
  );
}
