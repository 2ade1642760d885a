/**
 * The sampler decides once per request whether it is recorded; only trusted clients can influence
 * it.
 */
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { SamplerSettings } from './settings.ts';
import { isParentTrusted } from './trusted-peers.ts';

const isDecided = Symbol('the request is recorded');

/**
 * Also decides by itself, so that a request that is not recorded needs no span to find that out.
 */
export interface RequestSampler extends Sampler {
  /** The context for the spans of a request that came with `context`; `undefined`: not recorded. */
  decide(context: Context): Context | undefined;
}

/**
 * The sampler that is set, with one difference: whom it believes. Spans inside a request follow the
 * request's own. A request from a peer that is not trusted is decided as if it came without a
 * trace, and not by its trace id, which is the client's too.
 */
export function createSampler(settings: SamplerSettings, newTraceId: () => string): RequestSampler {
  const chosen = chosenSampler(settings);
  const shouldSample: Sampler['shouldSample'] = (context, traceId, ...rest) => {
    const parent = trace.getSpanContext(context);
    if (parent !== undefined && parent.isRemote !== true) return { decision: sameAs(parent) };
    if (context.getValue(isDecided) === true) return recorded;
    return isParentTrusted(context)
      ? chosen.shouldSample(context, traceId, ...rest)
      : chosen.shouldSample(ROOT_CONTEXT, newTraceId(), ...rest);
  };
  return {
    shouldSample,
    decide(context) {
      const traceId = trace.getSpanContext(context)?.traceId ?? '';
      const { decision } = shouldSample(context, traceId, '', SpanKind.SERVER, {}, []);
      return decision === SamplingDecision.RECORD_AND_SAMPLED
        ? context.setValue(isDecided, true)
        : undefined;
    },
    toString: () => `Plait{${chosen.toString()}}`,
  };
}

const recorded = Object.freeze({ decision: SamplingDecision.RECORD_AND_SAMPLED });

function sameAs({ traceFlags }: { traceFlags: number }): SamplingDecision {
  return (traceFlags & TraceFlags.SAMPLED) === 0
    ? SamplingDecision.NOT_RECORD
    : SamplingDecision.RECORD_AND_SAMPLED;
}

function chosenSampler({ root, parentBased, ratio }: SamplerSettings): Sampler {
  const sampler = rootSampler(root, ratio);
  return parentBased ? new ParentBasedSampler({ root: sampler }) : sampler;
}

function rootSampler(root: SamplerSettings['root'], ratio: number): Sampler {
  switch (root) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    default:
      return root satisfies never;
  }
}
