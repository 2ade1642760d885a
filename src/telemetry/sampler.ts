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
import { ConfigurationError } from '../errors.ts';
import type { Environment } from '../environment.ts';
import { isParentTrusted } from './trust.ts';

/**
 * `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` as OpenTelemetry defines them; by default all in
 * development, 10 % in production. Spans inside a request follow the request's own. A request from
 * somewhere that is not trusted is decided as if it came without a trace, and not by its trace id, which
 * is the client's too.
 *
 * @throws ConfigurationError when one of the variables cannot be used.
 */
export function createSampler(
  environment: Environment,
  mode: 'development' | 'production',
  newTraceId: () => string,
): Sampler {
  const chosen = chosenSampler(environment, mode);
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

function chosenSampler(environment: Environment, mode: 'development' | 'production'): Sampler {
  const name = environment['OTEL_TRACES_SAMPLER'] || defaultName(mode);
  const rootName = name.replace(/^parentbased_/, '');
  const root = Object.hasOwn(roots, rootName) ? roots[rootName]?.(environment) : undefined;
  if (root === undefined) {
    const names = Object.keys(roots).flatMap((one) => [one, `parentbased_${one}`]);
    throw new ConfigurationError(
      `OTEL_TRACES_SAMPLER is ${JSON.stringify(name)}. Use one of ${names.join(', ')}.`,
    );
  }
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

const roots: Readonly<Record<string, (environment: Environment) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (environment) => new TraceIdRatioBasedSampler(ratioOf(environment)),
};

function defaultName(mode: 'development' | 'production'): string {
  return mode === 'production' ? 'parentbased_traceidratio' : 'parentbased_always_on';
}

function ratioOf(environment: Environment): number {
  const text = environment['OTEL_TRACES_SAMPLER_ARG']?.trim() || '0.1';
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw new ConfigurationError(
    `OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(text)}. Use a number from 0 to 1, as in 0.1.`,
  );
}
