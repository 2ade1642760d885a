/** Runs plans against generated services, by a clock that the test moves. */
import { createEngine } from '../../../src/engine/execute.ts';
import type { Outcome } from '../../../src/engine/execution.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { Plan, PlanBlock, Step } from '../../../src/plan/plan.ts';
import { servicesOf } from '../../../src/plan/visit.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import { parseReply } from '../../../src/upstream/exchange/parse.ts';
import { toHttpRequest } from '../../../src/upstream/exchange/request.ts';
import { createUpstreams } from '../../../src/upstream/upstreams.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { turn, unreached } from '../../support/upstream-calls.ts';
import { answerTo, delayOf } from './world.ts';
import type { World } from './world.ts';

/** A client, and what may end its request before it is answered. */
export interface Client {
  readonly startsAtMs: number;
  readonly cut?: { readonly by: 'deadline' | 'disconnected'; readonly atMs: number } | undefined;
}

export interface RunOptions {
  readonly plan: Plan;
  readonly world: World;
  readonly body: unknown;
  /** Whether tolerated steps are left out. */
  readonly sheds: boolean;
  /** Operations that never answer. */
  readonly hanging: readonly Operation[];
  readonly clients: readonly Client[];
}

export interface Ran {
  /** By client. */
  readonly outcomes: readonly Outcome[];
  /** By client. */
  readonly endedAtMs: readonly number[];
  readonly requests: number;
  /** A line for each key and each call that was asked for. */
  readonly asked: readonly string[];
  /** The requests that are still under way, and the timers that still run, after all outcomes. */
  readonly left: number;
}

/** Longer than any run takes that is not cut off. */
const longMs = 1_000;

/** Executes the plan for all clients, which share the services' answers. */
export async function run(options: RunOptions): Promise<Ran> {
  const clock = createFakeClock();
  const services = startServices(options, clock);
  const upstreams = createUpstreams({
    services: servicesOf([options.plan]),
    addresses: new Map(),
    clock,
    aroundCall: () => services.send,
  });
  const execute = createEngine({ upstreams, clock, shedsSteps: () => options.sheds });
  const ended = new Map<Client, { readonly outcome: Outcome; readonly atMs: number }>();

  function start(client: Client): void {
    const { cut } = client;
    void execute(options.plan, {
      inputs: {
        params: {},
        query: {},
        headers: {},
        cookies: {},
        identity: undefined,
        body: options.body,
      },
      header: () => undefined,
      deadlineAt: cut?.by === 'deadline' ? cut.atMs : longMs,
      onDisconnect(leave) {
        if (cut?.by === 'disconnected') clock.after(cut.atMs - clock.now(), leave);
      },
      trace: undefined,
      owner: {},
    }).then((outcome) => ended.set(client, { outcome, atMs: clock.now() }));
  }

  const { clients } = options;
  for (const client of clients) clock.after(client.startsAtMs, () => start(client));
  while (ended.size < clients.length && clock.pending > 0) {
    clock.advanceToNext();
    await settled();
  }
  const endedAtMs = clients.map((client) => ended.get(client)?.atMs ?? Infinity);
  // The windows of abandoned loads end, and clients leave that have been answered.
  clock.advance(longMs);
  await settled();
  const left = services.underWay.size + clock.pending;
  await upstreams.close();
  const outcomes = clients.flatMap((client) => ended.get(client)?.outcome ?? []);
  const asked = services.sent.flatMap(({ key = 'write', keys }) =>
    keys === undefined ? [key] : keys.map((one) => `${key} ${String(one)}`),
  );
  return { outcomes, endedAtMs, requests: services.sent.length, asked, left };
}

/** Services in this process, in place of the pipeline of a service and its sockets. */
function startServices({ world, hanging }: RunOptions, clock: Clock) {
  const sent: Dispatch[] = [];
  const underWay = new Set<Dispatch>();

  async function send(dispatch: Dispatch): Promise<Reply> {
    dispatch.signal.throwIfAborted();
    const request = toHttpRequest(dispatch, clock);
    sent.push(dispatch);
    underWay.add(dispatch);
    try {
      const { operation } = dispatch;
      const delayMs = hanging.includes(operation) ? Infinity : delayOf(world, operation, request);
      await passing(dispatch, delayMs, clock);
      const attempt = { ...dispatch, address: unreached };
      return await parseReply(attempt, answerTo(world, operation, request), clock.now());
    } finally {
      underWay.delete(dispatch);
    }
  }

  return { sent, underWay, send };
}

function passing({ signal }: Dispatch, delayMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = delayMs === Infinity ? () => undefined : clock.after(delayMs, pass);
    function pass(): void {
      signal.removeEventListener('abort', leave);
      resolve();
    }
    function leave(): void {
      cancel();
      reject(signal.reason);
    }
    signal.addEventListener('abort', leave, { once: true });
  });
}

/** Loads are collected in one turn of the event loop, and sent at its end. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn();
}

/** A copy of a plan whose lists all run together, or all item by item. */
export function withLists(plan: Plan, together: boolean): Plan {
  const steps: Step[] = [];
  function changed(block: PlanBlock): PlanBlock {
    const own = block.steps.map((step) => {
      const copy = 'block' in step ? { ...step, block: changed(step.block) } : step;
      steps[step.id] = copy;
      return copy;
    });
    return { ...block, together, steps: own };
  }
  return { ...plan, root: changed(plan.root), steps };
}
