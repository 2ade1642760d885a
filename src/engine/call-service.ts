/** Calls services for a step: one call per item, or one load with the keys of all items. */
import type { Template } from '../dsl/node.ts';
import type { PagesRule } from '../dsl/pages-rule.ts';
import type { CallStep, LookupArguments } from '../plan/plan.ts';
import { isShareable } from '../upstream/call.ts';
import type { Reply } from '../upstream/call.ts';
import { canonical } from '../upstream/sharing/key.ts';
import type { Load } from '../upstream/sharing/load.ts';
import { take } from './call-end.ts';
import { withPermit } from './call-limit.ts';
import { callWrite } from './call-write.ts';
import { assemble } from './fill.ts';
import type { Failure } from './frame.ts';
import { allPages } from './pages.ts';
import type { Work } from './work.ts';

export function callService(work: Work, step: CallStep, item: number): void {
  const { limit } = work.frame;
  if (limit === undefined) return sendCall(work, step, item);
  withPermit(work, item, limit, (onEnd) => sendCall(work, step, item, onEnd));
}

function sendCall(work: Work, step: CallStep, item: number, onEnd?: () => void): void {
  if (step.pages !== undefined) return gather(work, step, step.pages, { item, onEnd });
  const { operation, args } = step;
  const { calls, onCallEnd } = work.frame.execution;
  const given = argsOf(work, args, item);
  const takeReply = (reply: Reply): void => {
    onEnd?.();
    onReply(work, step, reply, item);
  };
  const onError = (failure: unknown): void => {
    onEnd?.();
    onCallEnd?.({ operation, reply: undefined, failure, count: 1 });
  };
  if (!isShareable(operation))
    return callWrite(work, step, item, { args: given, onReply: takeReply, onError });
  calls
    .call(operation, given, work.trace, step.conceals ? concealing : undefined)
    .then(takeReply, (error: unknown) => {
      onError(error);
      work.fail(item, error);
    });
}

/** All pages of a list have one permit, since they follow each other. */
function gather(
  work: Work,
  step: CallStep,
  pages: PagesRule,
  { item, onEnd }: { readonly item: number; readonly onEnd: (() => void) | undefined },
): void {
  allPages({ work, step, pages }, argsOf(work, step.args, item))
    .finally(() => onEnd?.())
    .then(
      (items) => work.succeed(item, items),
      (error: unknown) => work.fail(item, error),
    );
}

/** Of calls whose keys must not have their arguments in clear. */
const concealing = Object.freeze({ conceals: true });

function argsOf({ frame }: Work, template: Template, item: number): Record<string, unknown> {
  return assemble(frame, template, item) as Record<string, unknown>; // `call` takes an object
}

function onReply(work: Work, step: CallStep, reply: Reply, item: number): void {
  try {
    take(work, step, reply, 1);
  } catch (error) {
    return work.fail(item, error); // it would be an unhandled rejection
  }
  work.succeed(item, reply.value);
}

/** Loads the keys of all items together, grouped by their other arguments if these differ. */
export function loadKeys(
  work: Work,
  step: CallStep,
  lookup: LookupArguments,
  items: readonly number[],
): void {
  if (!lookup.varies) return loadTogether(work, step, lookup, items);
  const groups = new Map<string, number[]>();
  for (const item of items) {
    try {
      const text = canonical(argsOf(work, lookup.others, item));
      const group = groups.get(text);
      if (group === undefined) groups.set(text, [item]);
      else group.push(item);
    } catch (error) {
      work.fail(item, error);
    }
  }
  for (const group of groups.values()) loadTogether(work, step, lookup, group);
}

function loadTogether(
  work: Work,
  step: CallStep,
  lookup: LookupArguments,
  items: readonly number[],
): void {
  const [first] = items;
  if (first === undefined || work.isOver) return;
  const { operation } = step;
  const { calls } = work.frame.execution;
  const keys = keysOf(work, lookup, items);
  if (keys === undefined) {
    const readable = items.filter((item) => !work.hasFailed(item));
    return loadTogether(work, step, lookup, readable);
  }
  try {
    const load = calls.load({
      operation,
      args: argsOf(work, lookup.others, first),
      keys,
      trace: work.trace,
      failsAtOnce: work.failsAtOnce,
      conceals: step.conceals,
    });
    void load.done.then(() => onLoad(work, step, items, load));
  } catch (error) {
    work.failAll(items, error); // arguments that cannot be written as JSON
  }
}

/** The keys of the items; `undefined` if one of them cannot be read, since a getter throws. */
function keysOf(
  work: Work,
  { key }: LookupArguments,
  items: readonly number[],
): readonly unknown[] | undefined {
  const keys = Array<unknown>(items.length);
  for (let at = 0; at < keys.length; at += 1) {
    const item = items[at] ?? 0;
    try {
      keys[at] = assemble(work.frame, key, item);
    } catch (error) {
      work.fail(item, error);
      return undefined;
    }
  }
  return keys;
}

function onLoad(work: Work, step: CallStep, items: readonly number[], load: Load): void {
  try {
    takeAll(work, step, load);
  } catch (error) {
    return work.failAll(items, error); // it would be an unhandled rejection
  }
  if (load.failures !== undefined) return spread(work, items, load);
  // The load's values become the column without a copy: it has one key per item, in order.
  if (items.length === work.frame.width) return work.succeedTogether(load.values);
  for (let at = 0; at < items.length; at += 1) work.succeed(items[at] ?? 0, load.values[at]);
}

/** Gives each item its value or failure. Items whose batch has failed share one failure. */
function spread(
  work: Work,
  items: readonly number[],
  { failures = new Map<number, unknown>(), values, replies }: Load,
): void {
  const counts = new Map<unknown, number>();
  for (const error of failures.values()) counts.set(error, (counts.get(error) ?? 0) + 1);
  const known = new Map<unknown, Failure>();
  for (const [at, error] of failures) {
    const item = items[at] ?? 0;
    const own = counts.get(error) === 1 ? item : undefined;
    const failure = known.get(error) ?? work.failureOf(error, { item: own });
    known.set(error, failure);
    work.fail(item, error, failure);
  }
  for (let at = 0; at < items.length; at += 1)
    if (!failures.has(at) && replies[at] !== undefined) work.succeed(items[at] ?? 0, values[at]);
}

/** Reports the end of all keys, those of one batch together, to telemetry and freshness. */
function takeAll(work: Work, step: CallStep, { replies, failures }: Load): void {
  const { onCallEnd } = work.frame.execution;
  for (let at = 0; at < replies.length;) {
    const reply = replies[at];
    let end = at + 1;
    while (end < replies.length && replies[end] === reply) end += 1;
    if (reply !== undefined) take(work, step, reply, end - at);
    at = end;
  }
  if (onCallEnd === undefined || failures === undefined) return;
  for (const failure of failures.values())
    onCallEnd({ operation: step.operation, reply: undefined, failure, count: 1 });
}
