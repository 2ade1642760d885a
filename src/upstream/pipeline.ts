/**
 * The whole pipeline from a call to its service, outermost policy first. Its first part lives as
 * long as one client request and its second as long as the gateway; each service has its own third
 * part.
 */
import type { Clock } from '../clock.ts';
import type { Operation } from '../dsl/operation.ts';
import { attempts } from './attempt.ts';
import type { AttemptHook, AttemptOptions, Gate, OnAttemptEnd } from './attempt.ts';
import type { Balancer } from './balancing/balancer.ts';
import type { Caching } from './caching/cache.ts';
import { unchanged } from './call.ts';
import type { Attempt, Dispatch, OnJoin, OnRetry, Policy, Send } from './call.ts';
import type { Credential } from './credentials/credential.ts';
import { noSecret, parseReply } from './exchange/parse.ts';
import { dated } from './exchange/dated.ts';
import { withCleanAddresses } from './exchange/own-location.ts';
import { followed, isRedirect } from './exchange/redirect.ts';
import { toHttpRequest } from './exchange/request.ts';
import type { HttpRequest } from './exchange/request.ts';
import { exchange } from './exchange/transport.ts';
import type { RawReply } from './exchange/transport.ts';
import { attemptTimeout } from './resilience/attempt-timeout.ts';
import type { Breaker } from './resilience/breaker.ts';
import type { Bulkhead } from './resilience/bulkhead.ts';
import type { HangWatch } from './resilience/hang-watch.ts';
import { hedge } from './resilience/hedge.ts';
import type { RetryBudget } from './resilience/retry-budget.ts';
import { retry } from './resilience/retry.ts';
import { batch } from './sharing/batch.ts';
import { coalesce } from './sharing/coalesce.ts';
import { deduplicate } from './sharing/deduplicate.ts';
import type { Senders } from './sharing/deduplicate.ts';
import { single } from './sharing/single.ts';

/** deduplicate ▸ … */
export function perRequest(gateway: Senders, onJoin: OnJoin | undefined): Senders {
  return deduplicate(gateway, onJoin);
}

export interface GatewayParts {
  readonly caching: Caching;
  readonly clock: Clock;
  readonly aroundCall: Policy<Dispatch>;
  readonly onJoin: OnJoin | undefined;
  /** The longest path prefix of the addresses of an operation's service. */
  readonly prefixOf: (operation: Operation) => string;
  /** The bytes that credentials add to the request line of an operation. */
  readonly extraBytes: (operation: Operation) => number;
  /** Takes a retry out of the budget of an operation's service. */
  readonly withdraw: (operation: Operation) => boolean;
}

/** … cache ▸ coalesce, or for lookups single ▸ batch ▸ telemetry's batch span ▸ … */
export function perGateway(parts: GatewayParts, toService: Send<Dispatch>): Senders {
  const { caching, clock, aroundCall, onJoin, prefixOf, extraBytes, withdraw } = parts;
  const dispatch = aroundCall(toService);
  return {
    send: caching.call(coalesce(clock, { withdraw, onJoin })(dispatch)),
    sendLoad: caching.load(
      single(batch(clock, dispatch, { prefixOf, extraBytes, withdraw, onJoin })),
    ),
  };
}

export interface ServiceParts {
  /** Absent: the service is sent nothing of the gateway's own. */
  readonly credential: Credential | undefined;
  readonly budget: RetryBudget;
  readonly breaker: Breaker | undefined;
  readonly bulkhead: Bulkhead;
  readonly balancer: Balancer;
  readonly hangWatch: HangWatch;
  readonly hook: AttemptHook | undefined;
  readonly onAttemptEnd: OnAttemptEnd | undefined;
  readonly onRetry: OnRetry | undefined;
  readonly onRefused: AttemptOptions['onRefused'];
  readonly clock: Clock;
}

/**
 * … retry ▸ renew ▸ hedge ▸ token ▸ breaker ▸ bulkhead ▸ timeout ▸ balancer ▸ telemetry's attempt
 * span ▸ exchange ▸ parse.
 */
export function perService(parts: ServiceParts): Send<Dispatch> {
  const { credential, budget, balancer, hangWatch, clock } = parts;
  const { hook, onAttemptEnd, onRefused } = parts;

  /** Makes no function for services that are sent no credentials of the gateway's own. */
  function secretsOf(own: Attempt): (text: string) => boolean {
    return credential === undefined ? noSecret : (text) => credential.isIn(text, own);
  }

  /** Nothing but the exchange sees a request with its credentials. */
  function send(own: Attempt, request: HttpRequest): Promise<RawReply> {
    own.caller.sent += 1;
    const sent = credential === undefined ? request : credential.attach(request, own);
    return exchange(own, sent, (line) => hangWatch.keep(own, line));
  }

  const attempt = attempts(
    {
      gates: gatesOf(parts),
      startTimeout: attemptTimeout(clock),
      choose: balancer.choose,
      hook,
      onAttemptEnd,
      hangWatch,
      onRefused,
      clock,
    },
    async function sendAttempt(own, watch) {
      const request = toHttpRequest(own, clock, watch?.headers);
      const answer = await send(own, request);
      const isSecret = secretsOf(own);
      const onRedirect = watch?.onRedirect;
      const raw = isRedirect(answer)
        ? await followed(own, answer, { request, clock, send, isSecret, onRedirect })
        : answer;
      const now = clock.epoch();
      const clean =
        credential === undefined
          ? raw
          : withCleanAddresses(raw, (text) => credential.isKeyIn(text, own));
      return parseReply(own, dated(clean, now), now, isSecret);
    },
  );
  const { onRetry } = parts;
  const { hasUntried } = balancer;
  const renewed = credential?.renew ?? unchanged;
  const hedged = hedge(clock, budget)(attempt);
  return retry({ clock, budget, hasUntried, onRetry })(renewed(hedged));
}

/** A slow issuer of tokens holds no permit of the service. */
function gatesOf({ credential, breaker, bulkhead }: ServiceParts): readonly Gate[] {
  return [
    ...(credential?.gate === undefined ? [] : [credential.gate]),
    ...(breaker === undefined ? [] : [breaker.gate]),
    bulkhead.gate,
  ];
}
