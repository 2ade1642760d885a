/**
 * Lifts numbers to the types that a schema asks for: JSON does not distinguish integers from other
 * numbers, so `7` must become `7n` for `z.bigint()`.
 */
import type { z } from 'zod';
import { isInexactText } from './number-literal.ts';
import { isUnheld, toExactBigInt, toRounded, toUnheld } from './exact-number.ts';
import { fieldOf } from './plain-object.ts';
import { defOf, entryOf, inputsOf } from './schema-parts.ts';
import type { Def } from './schema-parts.ts';

/** Returns a value with its numbers lifted; the same value if there is nothing to lift. */
export type Lift = (value: unknown) => unknown;

export interface LiftOptions {
  /** Whether `z.number()` gets the nearest number if no `number` is exact. */
  readonly rounded: boolean;
}

/** The lift for a schema; `undefined` if there is never anything to lift. */
export function lifterOf(schema: z.ZodType, { rounded }: LiftOptions): Lift | undefined {
  const lifters = new Map<z.core.$ZodType, Lift | undefined>();
  return lifterIn(schema);

  function lifterIn(part: z.core.$ZodType): Lift | undefined {
    if (lifters.has(part)) return lifters.get(part);
    // In a recursive schema, the inner part looks the lift up when it is needed.
    const later: Lift = (value) => lifters.get(part)?.(value) ?? value;
    lifters.set(part, later);
    const lifter = hasWork(part, rounded) ? createLifter(part) : undefined;
    lifters.set(part, lifter);
    return lifter;
  }

  function createLifter(part: z.core.$ZodType): Lift | undefined {
    const def = defOf(part);
    switch (def.type) {
      case 'bigint':
      case 'number':
      case 'literal':
        return leafLifter(def, rounded);
      case 'object':
        return liftFields(new Map(Object.entries(def.shape)), def.catchall);
      case 'record':
        return liftFields(new Map(), def.valueType);
      case 'array':
        return liftItems([], def.element);
      case 'tuple':
        return liftItems(def.items, def.rest);
      case 'union':
        return 'discriminator' in def ? liftForKind(def) : liftForOption(def.options);
      case 'intersection':
        return both(lifterIn(def.left), lifterIn(def.right));
      case 'pipe':
        return lifterIn(entryOf(def));
      case 'lazy':
        return lifterIn(def.getter());
      default:
        return 'innerType' in def ? lifterIn(def.innerType) : undefined;
    }
  }

  function liftFields(
    shape: ReadonlyMap<string, z.core.$ZodType>,
    others: z.core.$ZodType | undefined,
  ): Lift {
    const fields = new Map(Array.from(shape, ([key, field]) => [key, lifterIn(field)] as const));
    const other = others && lifterIn(others);
    return function liftObject(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      let lifted: Record<string, unknown> | undefined;
      for (const [key, part] of Object.entries(value)) {
        const lift = fields.has(key) ? fields.get(key) : other;
        const own = lift === undefined ? part : lift(part);
        if (own !== part) (lifted ??= { ...value })[key] = own;
      }
      return lifted ?? value;
    };
  }

  function liftItems(
    items: readonly z.core.$ZodType[],
    rest: z.core.$ZodType | null | undefined,
  ): Lift {
    const firsts = items.map(lifterIn);
    const other = rest ? lifterIn(rest) : undefined;
    return function liftList(value) {
      if (!Array.isArray(value)) return value;
      let lifted: unknown[] | undefined;
      for (const [index, part] of value.entries()) {
        const lift = index < firsts.length ? firsts[index] : other;
        const own: unknown = lift === undefined ? part : lift(part);
        if (own !== part) (lifted ??= [...value])[index] = own;
      }
      return lifted ?? value;
    };
  }

  /** Lifts for the option of the value's kind: to try all takes exponential time in nested ones. */
  function liftForKind(def: KindsDef): Lift {
    const others = def.unionFallback === true ? liftForOption(def.options) : undefined;
    const discriminator = String(def.discriminator);
    let lifts: ReadonlyMap<unknown, Lift | undefined> | undefined;
    return function liftKind(value) {
      // Later, since the kinds of a recursive schema are not known before.
      lifts ??= new Map(
        def.options.flatMap((option) =>
          kindsOf(option, discriminator).map((kind) => [kind, lifterIn(option)] as const),
        ),
      );
      const kind = fieldOf(value, discriminator);
      const known = lifts.has(kind) ? kind : toInteger(kind);
      const lift = lifts.has(known) ? lifts.get(known) : others;
      return lift === undefined ? value : lift(value);
    };
  }

  /** Lifts for the first option that the lifted value fits. */
  function liftForOption(options: readonly z.core.$ZodType[]): Lift {
    const own = options.map(lifterIn);
    return function liftUnion(value) {
      const lifted = own.map((lift) => lift?.(value) ?? value);
      // Most values, like texts, are the same to all options.
      if (lifted.every((one) => one === value)) return value;
      const fitting = options.findIndex((option, index) => fits(option, lifted[index]));
      return fitting === -1 ? value : lifted[fitting];
    };
  }
}

type KindsDef = z.core.$ZodUnionDef &
  Readonly<Record<'discriminator', unknown>> & {
    readonly unionFallback?: unknown;
  };

/** The values of the field by which an option is chosen. */
function kindsOf({ _zod: internals }: z.core.$ZodType, discriminator: string): readonly unknown[] {
  return [...(internals.propValues?.[discriminator] ?? [])];
}

/** Whether any part of a schema needs numbers to be lifted. */
function hasWork(schema: z.core.$ZodType, rounded: boolean): boolean {
  return [...inputsOf(schema)].some((part) => isWork(defOf(part), rounded));
}

function isWork(def: Def, rounded: boolean): boolean {
  if (def.type === 'number') return rounded || def.coerce === true;
  if (def.type === 'literal') return def.values.some((value) => typeof value === 'bigint');
  return def.type === 'bigint';
}

function leafLifter(
  def: Extract<Def, { type: 'bigint' | 'number' | 'literal' }>,
  rounded: boolean,
): Lift | undefined {
  if (def.type === 'bigint') return toInteger;
  if (def.type === 'literal') return toIntegerIn(new Set(def.values));
  if (rounded) return round;
  return def.coerce ? refuseToCoerce : undefined;
}

function toInteger(value: unknown): unknown {
  return typeof value === 'number' ? (toExactBigInt(value) ?? value) : value;
}

function toIntegerIn(values: ReadonlySet<unknown>): Lift {
  return function toLiteral(value) {
    const integer = toInteger(value);
    return values.has(integer) ? integer : value;
  };
}

function round(value: unknown): unknown {
  return typeof value === 'bigint' || isUnheld(value) ? toRounded(value) : value;
}

/** Hides from `z.coerce.number()` an integer, or a text, which it would round silently. */
function refuseToCoerce(value: unknown): unknown {
  if (typeof value === 'string') return isInexactText(value) ? toUnheld(value.trim()) : value;
  return typeof value === 'bigint' ? toUnheld(String(value)) : value;
}

function both(first: Lift | undefined, second: Lift | undefined): Lift | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (value) => second(first(value));
}

/** Whether a value fits. A schema that throws does so again when the value is parsed. */
function fits({ _zod: internals }: z.core.$ZodType, value: unknown): boolean {
  try {
    return isFit(internals.run({ value, issues: [] }, { async: false, abortEarly: true }));
  } catch {
    return false;
  }
}

function isFit(result: { readonly issues: readonly unknown[] } | Promise<unknown>): boolean {
  return !(result instanceof Promise) && result.issues.length === 0;
}
