/** Answers one request to a mock service: as the fault says, or else as the msw handlers say. */
import { setTimeout as wait } from 'node:timers/promises';
import { getResponse } from 'msw';
import type { HttpHandler } from 'msw';
import { send, sendHalf, toCloseSignal, toRequest } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Fault } from './faults.ts';
import { toProblem } from './problem.ts';
import type { RequestSpan } from './tracing.ts';

const bodiless = new Set([204, 205, 304]);

export interface Task {
  readonly exchange: Exchange;
  readonly handlers: readonly HttpHandler[];
  readonly span: RequestSpan;
  readonly fault: Fault | undefined;
}

export async function answer(task: Task): Promise<void> {
  task.exchange.outgoing.once('close', () => task.span.end());
  await guard(task.exchange, () => deliver(task));
}

export async function answerControl(
  exchange: Exchange,
  control: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  await guard(exchange, async () => {
    await send(exchange.outgoing, await control(await toRequest(exchange.incoming)));
  });
}

async function deliver({ exchange, handlers, span, fault }: Task): Promise<void> {
  const { incoming, outgoing } = exchange;
  if (fault?.latencyMs) {
    await wait(fault.latencyMs, undefined, { signal: toCloseSignal(outgoing) });
  }
  if (fault?.reset) return void incoming.socket.resetAndDestroy();
  if (fault?.hang) return;
  const response = (fault && toFaultResponse(fault)) ?? (await respond(handlers, exchange));
  if (fault?.truncate) return sendHalf(outgoing, response);
  // Ended before the answer leaves, so that it lies within the caller's span.
  span.end(response.status);
  await send(outgoing, response);
}

async function respond(
  handlers: readonly HttpHandler[],
  { incoming }: Exchange,
): Promise<Response> {
  const response = await getResponse([...handlers], await toRequest(incoming));
  return response ?? toProblem(404, `${incoming.method} ${incoming.url} is not known here.`);
}

function toFaultResponse({ status, body }: Fault): Response | undefined {
  if (status === undefined && body === undefined) return undefined;
  if (status !== undefined && bodiless.has(status)) return new Response(null, { status });
  if (status !== undefined && body === undefined) return toProblem(status, 'A fault says so.');
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  return new Response(text, { status: status ?? 200, headers });
}

/** An error in a mock is a 500 to the caller; a caller that is gone needs no answer. */
async function guard({ outgoing }: Exchange, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (outgoing.destroyed || outgoing.headersSent) outgoing.destroy();
    else await send(outgoing, toProblem(500, String(error)));
  }
}
