/** Faults that a test or a demonstration injects into the answers of a mock service. */
import { z } from 'zod';

/**
 * One fault. `latencyMs` goes with everything else; of the others `reset` wins over `hang`, and
 * `truncate` cuts the answer that is left. A fault without any effect lets matching requests pass,
 * which with `times` shields the first few from a later fault.
 */
export const fault = z.strictObject({
  /** Matched against the whole of `METHOD path?query`; `*` stands for any text, also none. */
  match: z
    .string()
    .regex(/^[A-Z*]/u, 'Begin with a method or *, as in "GET /payments*" or "* /payments*".'),
  latencyMs: z.number().min(0).max(600_000).optional(),
  status: z.int().min(200).max(599).optional(),
  /** Sent as JSON; a string is sent as it is, so that broken JSON can be sent. */
  body: z.json().optional(),
  /** Drops the connection before any header. */
  reset: z.boolean().optional(),
  /** Never answers. */
  hang: z.boolean().optional(),
  /** Announces the whole body, sends half of it and drops the connection. */
  truncate: z.boolean().optional(),
  /** How many requests it applies to; all when left out. */
  times: z.int().min(1).optional(),
});
export type Fault = z.output<typeof fault>;

export const faultList = z.array(fault);

export interface Faults {
  list(): Fault[];
  replace(faults: readonly Fault[]): void;
  /** The fault for a request, `METHOD path?query`, which uses up one of its `times`. */
  take(request: string): Fault | undefined;
}

export function createFaults(): Faults {
  let rules: Rule[] = [];
  return {
    list: () => rules.map(toFault),
    replace(faults) {
      rules = faults.map(toRule);
    },
    take(request) {
      const rule = rules.find(({ isMatch }) => isMatch(request));
      if (rule === undefined) return undefined;
      rule.left -= 1;
      if (rule.left === 0) rules = rules.filter((other) => other !== rule);
      return rule.fault;
    },
  };
}

/** A pattern is anchored at both ends; only `*` is special. */
export function toMatcher(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`, 'su');
  return (text) => expression.test(text);
}

interface Rule {
  readonly fault: Fault;
  readonly isMatch: (text: string) => boolean;
  left: number;
}

function toRule(item: Fault): Rule {
  return { fault: item, isMatch: toMatcher(item.match), left: item.times ?? Infinity };
}

function toFault({ fault: item, left }: Rule): Fault {
  return item.times === undefined ? item : { ...item, times: left };
}
