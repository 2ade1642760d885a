/** Tells steps whose calls were answered by a dispatch of others who has served them. */
import type { Attributes, Span } from '@opentelemetry/api';
import type { Call, Callers, Ending, OnJoin } from '../../upstream/call.ts';
import { errorType, isCancelled, statusOf } from '../error-type.ts';
import { scopeOf } from '../scope.ts';
import type { Scope } from '../scope.ts';

/** The most dispatches that are remembered for a step, which may wait for very many. */
const mostJoined = 32;

/** The span of a dispatch: that of its batch, or else that of its latest attempt. */
export interface Shown {
  readonly span: Span;
  /** The step that it is a part of. */
  readonly holder: Scope;
  /** The attributes of a batch. */
  readonly batch?: Attributes;
}

export interface Servers {
  readonly onJoin: OnJoin;
  /** Takes note that a step waits for a dispatch, whoever holds it. */
  join(step: Scope, callers: Callers): void;
  /** Takes note of the span of a dispatch; that of a batch is kept. */
  show(callers: Callers, shown: Shown): void;
  /** Takes note of equal calls that the request of a call has made since. */
  noteFollowers(call: Call, callers: Callers): void;
  /**
   * Describes a step that is about to end by the dispatch of others that it waited for. Unless it is
   * `isBlaming`, one that has failed has been made good, or has not cancelled the step.
   */
  describe(step: Scope, isBlaming: boolean): void;
}

/**
 * Steps that are not recorded cost nothing here. What a follower needs is read from the dispatch
 * itself, since the request that has made it may not be recorded.
 */
export function createServers(): Servers {
  const joinedBy = new WeakMap<Scope, Callers[]>();

  function join(step: Scope, callers: Callers): void {
    // A refresh in the background may join after the step has ended.
    if (!step.span.isRecording()) return;
    const joined = joinedBy.get(step);
    if (joined === undefined) joinedBy.set(step, [callers]);
    else if (joined.length < mostJoined && !joined.includes(callers)) joined.push(callers);
  }

  function joinDispatch({ trace }: Call, callers: Callers): void {
    const step = scopeOf(trace);
    if (step !== undefined) join(step, callers);
  }

  function serverOf(step: Scope, isBlaming: boolean): Callers | undefined {
    const joined = joinedBy.get(step);
    if (joined === undefined) return undefined;
    // Followers must not keep each other in memory through the dispatches that they share.
    joinedBy.delete(step);
    const others = joined.filter((callers) => shownIn(callers)?.holder !== step);
    const weightOf = isBlaming ? weightOfBlame : weightOfWait;
    return others.toSorted((one, other) => weightOf(other) - weightOf(one))[0];
  }

  return {
    join,
    onJoin: joinDispatch,
    show(callers, shown) {
      if (shownIn(callers)?.batch === undefined) callers.shown = shown;
    },
    noteFollowers({ followers }, callers) {
      for (const follower of followers.calls ?? []) joinDispatch(follower, callers);
    },
    describe(step, isBlaming) {
      const server = serverOf(step, isBlaming);
      if (server === undefined) return;
      const shown = shownIn(server);
      if (shown !== undefined) step.span.addLink({ context: shown.span.spanContext() });
      const ending = server.latest && endingOf(server.latest, isBlaming);
      const attributes = { ...wayOf(server, step), ...attributesOf(server), ...ending };
      step.span.setAttributes({ ...attributes, ...shown?.batch });
    },
  };
}

function shownIn({ shown }: Callers): Shown | undefined {
  return shown as Shown | undefined; // only `show` sets it
}

/** The most is to blame: one that has failed, one that is waited for still, or the slowest. */
function weightOfBlame({ latest }: Callers): number {
  if (latest === undefined) return Number.MAX_VALUE;
  return latest.failure === undefined ? latest.tookMs : Infinity;
}

/** The most was waited for longest: one that is still, or the slowest of those that answered. */
function weightOfWait(callers: Callers): number {
  return callers.latest?.failure === undefined ? weightOfBlame(callers) : -1;
}

/** How a step came by the answer: by a batch, or by a call of its own request or of another. */
function wayOf(server: Callers, step: Scope): Attributes {
  if (server.width !== undefined) {
    return { 'plait.step.batched': true, 'plait.batch.size': server.width };
  }
  const traceId = shownIn(server)?.span.spanContext().traceId;
  const isOwn = traceId === step.span.spanContext().traceId;
  return isOwn ? { 'plait.step.deduplicated': true } : { 'plait.step.coalesced': true };
}

function attributesOf({ operation, tried }: Callers): Attributes {
  return {
    'plait.step.attempts': tried.length,
    'service.peer.name': operation.service.name,
  };
}

function endingOf(ending: Ending, isBlaming: boolean): Attributes {
  const { failure, status = statusOf(failure), tookMs } = ending;
  const isError = isBlaming && failure !== undefined && !isCancelled(failure);
  const type = isError ? errorType(failure) : undefined;
  return {
    'plait.step.service_ms': Math.round(tookMs),
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(type !== undefined && { 'error.type': type }),
  };
}
