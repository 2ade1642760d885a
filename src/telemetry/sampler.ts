/** Sampler: whether a request is recorded. Decided once, and by a client only if it is trusted. */
import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { SamplerSettings } from './settings.ts';
import { isParentTrusted } from './trust.ts';

/**
 * The sampler that is set, but for whom it believes. Spans inside a request follow the request's own. A
 * request from somewhere that is not trusted is decided as if it came without a trace, and not by its
 * trace id, which is the client's too.
 */
export function createSampler(settings: SamplerSettings, newTraceId: () => string): Sampler {
  const chosen = chosenSampler(settings);
  return {
    shouldSample(context, traceId, ...rest) {
      const parent = trace.getSpanContext(context);
      if (parent !== undefined && parent.isRemote !== true) return { decision: sameAs(parent) };
      return isParentTrusted(context)
        ? chosen.shouldSample(context, traceId, ...rest)
        : chosen.shouldSample(ROOT_CONTEXT, newTraceId(), ...rest);
    },
    toString: () => `Plait{${chosen.toString()}}`,
  };
}

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
