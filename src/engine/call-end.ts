/** Takes the reply to calls of a step: telemetry and the freshness of the response hear of it. */
import type { CallStep } from '../plan/plan.ts';
import type { Reply } from '../upstream/call.ts';
import { narrowed } from './response-freshness.ts';
import type { Work } from './work.ts';

export function take(work: Work, { operation }: CallStep, reply: Reply, count: number): void {
  const { execution } = work.frame;
  execution.onCallEnd?.({ operation, reply, failure: undefined, count });
  if (work.watched !== undefined) work.watched.reply = reply;
  if (execution.plan.cache !== undefined)
    execution.freshness = narrowed(execution.freshness, reply);
}
