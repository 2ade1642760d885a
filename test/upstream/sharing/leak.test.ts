import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineComposition } from '../../../src/dsl/composition.ts';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import { operation } from '../../../src/dsl/declare-operation.ts';
import { call, each } from '../../../src/dsl/steps.ts';
import { createEngine } from '../../../src/engine/execute.ts';
import type { EngineRequest } from '../../../src/engine/execution.ts';
import { compile } from '../../../src/plan/compile.ts';
import type { Dispatch, Reply } from '../../../src/upstream/call.ts';
import type { Load } from '../../../src/upstream/sharing/load.ts';
import { createUpstreams } from '../../../src/upstream/upstreams.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { nowhere, ok, turn } from '../../support/upstream-calls.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void; // the flag defines it

const Item = z.object({ id: z.string() });

const itemOf = lookup(nowhere, {
  name: 'itemOf',
  route: 'GET /items',
  keys: { query: 'ids' },
  by: 'id',
  item: Item,
});

const keptItemOf = lookup(nowhere, {
  name: 'keptItemOf',
  route: 'GET /kept-items',
  keys: { query: 'ids' },
  by: 'id',
  item: Item,
  cache: { ttlMs: 1 },
});

const getItem = operation(nowhere, {
  name: 'getItem',
  route: 'GET /items/:id',
  response: Item,
});

const plan = compile({
  name: 'page',
  composition: defineComposition({
    route: 'POST /pages',
    body: z.object({ ids: z.array(z.string()) }),
    compose: ({ body }) => ({
      items: each(body.ids, (id) => [
        call(itemOf, { id }),
        call(keptItemOf, { id }),
        call(getItem, { id }),
      ]),
    }),
  }),
});

/** A dispatch that the service has not answered yet. */
interface Unanswered {
  readonly dispatch: Dispatch;
  answer(reply: Reply): void;
}

type Refs = WeakRef<object>[];

/** A gateway that counts its requests, loads and flights in memory. */
function startGateway() {
  const clock = createFakeClock();
  const unanswered: Unanswered[] = [];
  const [requests, loads, flights]: [Refs, WeakRef<Load>[], Refs] = [[], [], []];
  const upstreams = createUpstreams({
    services: [nowhere],
    addresses: new Map(),
    clock,
    aroundCall: () => (dispatch) => {
      flights.push(new WeakRef(dispatch.signal));
      return new Promise((resolve) => unanswered.push({ dispatch, answer: resolve }));
    },
  });
  const execute = createEngine({
    clock,
    upstreams: {
      ...upstreams,
      open(caller) {
        const { call: callOnce, load, page } = upstreams.open(caller);
        return {
          call: callOnce,
          page,
          load(request) {
            const opened = load(request);
            loads.push(new WeakRef(opened));
            return opened;
          },
        };
      },
    },
  });

  function ask(ids: readonly string[]): ReturnType<typeof execute> {
    const request: EngineRequest = {
      inputs: {
        params: {},
        query: {},
        headers: {},
        cookies: {},
        identity: undefined,
        body: { ids },
      },
      header: () => undefined,
      deadlineAt: clock.now() + 10_000,
      onDisconnect: () => undefined,
      trace: undefined,
      owner: {},
    };
    requests.push(new WeakRef(request));
    return execute(plan, request);
  }

  /** Answers the earliest dispatch of each operation. */
  function answerEarliest(): void {
    const earliest = new Map(
      unanswered.toReversed().map((one) => [one.dispatch.operation, one] as const),
    );
    for (const one of earliest.values()) {
      unanswered.splice(unanswered.indexOf(one), 1);
      const { keys, args } = one.dispatch;
      one.answer({ ...ok, value: keys?.map((id) => ({ id })) ?? { id: args['id'] } });
    }
  }

  return {
    clock,
    ask,
    answerEarliest,
    unanswered,
    /** The first load of a lookup that is not cached. */
    firstLoad: () => loads.find((one) => one.deref()?.call.operation === itemOf)?.deref(),
    async inMemory() {
      await turn();
      collectGarbage();
      await turn();
      return { requests: alive(requests), loads: alive(loads), flights: alive(flights) };
    },
  };
}

function alive(refs: Refs): number {
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

describe('the memory of a gateway', () => {
  it('holds no request that has ended, although each has shared calls with the next', async () => {
    const { clock, ask, answerEarliest, unanswered, inMemory } = startGateway();
    let answered = 0;
    const noteAnswer = (): void => void (answered += 1);
    void ask(['a']).then(noteAnswer);
    // Each request joins what the one before it still waits for, and begins what the next one joins.
    for (let number = 1; number <= 10_000; number += 1) {
      await turn();
      clock.advance(1);
      void ask(['a', 'b']).then(noteAnswer);
      await turn();
      answerEarliest();
    }
    await turn();
    expect({ answered, unanswered: unanswered.length }).toEqual({
      answered: 10_000,
      unanswered: 3,
    });
    const { requests, loads, flights } = await inMemory();
    expect(Math.max(requests, loads, flights)).toBeLessThan(10);
  });

  it('holds of all that shared a flight only the call that began it, once it has ended', async () => {
    const { ask, answerEarliest, unanswered, inMemory } = startGateway();
    const answers = [ask(['a']), ask(['a'])];
    await turn();
    const flights = unanswered.map(({ dispatch }) => dispatch.signal);
    answerEarliest();
    await Promise.all(answers);
    expect(await inMemory()).toEqual({ requests: 1, loads: 0, flights: 3 });
    expect(flights).toHaveLength(3); // they are still held here
  });

  it('holds no flights through a load that has ended', async () => {
    const { ask, answerEarliest, firstLoad, inMemory } = startGateway();
    const answers = [ask(['a']), ask(['a'])];
    await turn();
    const load = firstLoad();
    answerEarliest();
    await Promise.all(answers);
    expect((await inMemory()).flights).toBe(0);
    expect(load).toBeDefined(); // it is still held here
  });
});
