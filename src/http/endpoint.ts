/** A plan as a handler of requests: parse, execute, respond. */
import type { Context } from 'hono';
import type { Execute } from '../engine/execute.ts';
import { StepError } from '../engine/step-error.ts';
import { RequestError, UpstreamError } from '../errors.ts';
import { toPointer } from '../json.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { sourcesOf } from '../plan/visit.ts';
import { readJsonBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { parseInputs } from './inputs.ts';
import { toResponse } from './respond.ts';

export interface Bindings {
  Bindings: { exchange: Exchange };
}

export function endpointFor(plan: Plan, execute: Execute) {
  return async (context: Context<Bindings>): Promise<Response> => {
    const { exchange } = context.env;
    exchange.composition = plan.name;
    exchange.route = plan.route.template;
    const header = (name: string): string | undefined => context.req.header(name);
    const inputs = parseInputs(plan, {
      params: context.req.param(),
      query: queryOf(context.req.url),
      body: plan.schemas.body && (await readJsonBody(context.req.raw)),
      header,
    });
    const outcome = await execute(plan, {
      inputs,
      header,
      startedAt: exchange.startedAt,
      timeoutMs: timeoutOf(header('x-request-timeout-ms')),
      onDisconnect: (listener) => exchange.onDisconnect(listener),
      trace: exchange.trace,
    }).catch((error: unknown) => {
      throw blamedOnClient(plan, error) ?? error;
    });
    exchange.degraded = outcome.degraded;
    return toResponse(outcome, exchange);
  };
}

const noQuery = new URLSearchParams();

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return start === -1 ? noQuery : new URLSearchParams(url.slice(start + 1));
}

/** The client's own limit can only shorten the deadline; what is no number is ignored. */
function timeoutOf(header: string | undefined): number | undefined {
  const timeoutMs = Number(header ?? Number.NaN);
  return Number.isFinite(timeoutMs) && timeoutMs > 0 ? timeoutMs : undefined;
}

/** An argument that could not be sent is the client's mistake when it is the client's text. */
function blamedOnClient(plan: Plan, error: unknown): RequestError | undefined {
  if (!(error instanceof StepError) || !(error.reason instanceof UpstreamError)) return undefined;
  const { argument, kind } = error.reason;
  if (kind !== 'invalid-argument' || argument === undefined) return undefined;
  const [source] = sourcesOfArgument(error.step, argument);
  const input = source && plan.steps[source.node]?.node;
  if (input?.kind !== 'input') return undefined;
  const part = ({ params: 'path', query: 'query', body: 'body', headers: 'header' } as const)[
    input.input
  ];
  return new RequestError('invalid-request', 'Cannot be served as it is.', [
    {
      in: part,
      pointer: toPointer(source?.path ?? []),
      detail: 'cannot be used as an argument',
    },
  ]);
}

function sourcesOfArgument({ node }: Step, argument: string) {
  if (node.kind !== 'call' || node.args.kind !== 'object') return [];
  return node.args.entries
    .filter(([name]) => name === argument)
    .flatMap(([, template]) => sourcesOf(template));
}
