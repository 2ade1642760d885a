/** The words that tolerate the failure of a step: `optional` and `fallback`. */
import { CompositionError } from '../errors.ts';
import { currentDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { positive, refuseUnknownKnobs } from './knobs.ts';
import type { Json, Node } from './node.ts';
import { takesTime, traitsOf } from './node-traits.ts';
import type { Reference, Ref } from './reference.ts';
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
  options: GuardOptions = {},
): Ref<T | Widened<V>> {
  return guard('fallback', { step, instead: value, options });
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

interface Guarded {
  readonly step: Reference<unknown>;
  readonly instead: Json;
  readonly options: GuardOptions;
}

function guard<T>(mode: 'optional' | 'fallback', { step, instead, options }: Guarded): Ref<T> {
  const draft = currentDraft(mode);
  const source = toSource(draft, step, `${mode}(): its first argument`);
  const node = draft.nodes[source.node];
  if (source.path.length > 0 || node === undefined || !traitsOf(node).isStep) {
    throw new CompositionError(
      draft.place,
      `${mode}() was given ${draft.describe(source)}, which is not a step. Give it the result ` +
        `of call(), each(), given() or map() itself: ${mode}(call(…)).`,
    );
  }
  const template = toTemplate(draft, instead, `${mode}(): its value`);
  if (template.kind !== 'literal' || template.value === undefined) {
    throw new CompositionError(
      draft.place,
      `${mode}(): its value must be plain data, without references. Use given() or map() to ` +
        'choose between steps.',
    );
  }
  const withinMs = checkedWithin(draft, mode, { node, options });
  return draft.add({
    kind: 'guard',
    mode,
    guarded: source.node,
    instead: template.value,
    ...(withinMs !== undefined && { withinMs }),
  });
}

function checkedWithin(
  draft: Draft,
  mode: 'optional' | 'fallback',
  { node, options }: { readonly node: Node; readonly options: GuardOptions },
): number | undefined {
  refuseUnknownKnobs(options, ['withinMs'], `${draft.place}: ${mode}()`);
  const { withinMs } = options;
  if (withinMs === undefined) return undefined;
  if (takesTime(node)) return positive(withinMs, `${mode}(): withinMs`, draft.place);
  throw new CompositionError(
    draft.place,
    `${mode}(): a ${node.kind} takes no time, so withinMs bounds nothing. Put it on the call.`,
  );
}
