/**
 * The sampler decides once per request whether it is recorded. It follows only parents that are
 * trusted: no other ever becomes one.
 */
import { SpanKind, TraceFlags, trace } from '@opentelemetry/api';
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

const isDecided = Symbol('the request is recorded');

/**
 * Also decides by itself, so that a request that is not recorded needs no span to find that out.
 */
export interface RequestSampler extends Sampler {
  /** The context for the spans of a request that came with `context`; `undefined`: not recorded. */
  decide(context: Context): Context | undefined;
}

/**
 * The sampler that is set. Spans inside a request follow the request's own. `nextTraceId` gives the
 * id that a trace will have: a collector or a service that samples by the same ratio goes by it,
 * too.
 */
export function createSampler(
  settings: SamplerSettings,
  nextTraceId: () => string,
): RequestSampler {
  const chosen = chosenSampler(settings);
  const shouldSample: Sampler['shouldSample'] = (context, traceId, ...rest) => {
    const parent = trace.getSpanContext(context);
    if (parent !== undefined && parent.isRemote !== true) return { decision: sameAs(parent) };
    if (context.getValue(isDecided) === true) return recorded;
    return chosen.shouldSample(context, traceId, ...rest);
  };
  return {
    shouldSample,
    decide(context) {
      const traceId = trace.getSpanContext(context)?.traceId ?? nextTraceId();
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
